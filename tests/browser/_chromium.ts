/** Chromium, driven by Playwright: each test has a browser with a profile of its own. */
import { type BrowserContext, chromium, type Page } from "npm:playwright-core@1.65.1";

export type { Page };

const PATH = Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Sites with names of their own, on this machine.
  "--host-resolver-rules=MAP *.test 127.0.0.1",
];

/** What people have who changed nothing: Debian's Chromium blocks third-party cookies, Chrome does not. */
const PREFERENCES = { profile: { block_third_party_cookies: false, cookie_controls_mode: 0 } };

/** How a browser is set up. */
export interface Setup {
  /** Added to the preferences of the profile. */
  preferences?: Record<string, unknown>;
  /** Features that are not on by themselves. */
  features?: string;
}

/** A cookie as Chromium keeps it. */
export interface StoredCookie {
  name: string;
  value: string;
  domain: string;
  path: string;
  /** In Unix seconds; -1 for none. */
  expires: number;
  httpOnly: boolean;
  secure: boolean;
  /** Whether it goes when the browser is closed. */
  session: boolean;
  sameSite?: "Strict" | "Lax" | "None";
  priority: "Low" | "Medium" | "High";
  partitionKey?: { topLevelSite: string; hasCrossSiteAncestor: boolean };
}

/** A browser with its profile, which is forgotten at the end. */
export class Browser implements AsyncDisposable {
  readonly #profile: string;
  readonly #setup: Setup;
  #context: BrowserContext;

  private constructor(profile: string, setup: Setup, context: BrowserContext) {
    this.#profile = profile;
    this.#setup = setup;
    this.#context = context;
  }

  /** Starts a browser with a new profile. */
  static async open(setup: Setup = {}): Promise<Browser> {
    const profile = await Deno.makeTempDir({ prefix: "chromium-" });
    await Deno.mkdir(`${profile}/Default`);
    const preferences = JSON.stringify({ ...PREFERENCES, ...setup.preferences });
    await Deno.writeTextFile(`${profile}/Default/Preferences`, preferences);
    return new Browser(profile, setup, await launch(profile, setup));
  }

  /** Opens a tab. */
  async tab(): Promise<Page> {
    return await this.#context.newPage();
  }

  /** All cookies that the browser has. */
  async jar(): Promise<StoredCookie[]> {
    // A persistent profile comes with a tab; the tests open their own.
    const tools = await this.#context.newCDPSession(this.#context.pages()[0]!);
    const { cookies } = await tools.send("Network.getAllCookies");
    await tools.detach();
    return cookies;
  }

  /** Closes the browser and opens it again. */
  async restart(): Promise<void> {
    await this.#context.close();
    this.#context = await launch(this.#profile, this.#setup);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
    await Deno.remove(this.#profile, { recursive: true });
  }
}

function launch(profile: string, { features }: Setup): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profile, {
    executablePath: PATH,
    headless: true,
    ignoreHTTPSErrors: true,
    args: features === undefined ? FLAGS : [...FLAGS, `--enable-features=${features}`],
    // People's browsers have it, and what it brings back has been seen by nobody's server.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
}

/** A test in the browser. Without one it is skipped, and fails where CI is set. */
export function browserTest(name: string, run: () => Promise<void>): void {
  Deno.test({ name, fn: run, ignore: !isInstalled() && !Deno.env.get("CI") });
}

function isInstalled(): boolean {
  try {
    return Deno.statSync(PATH).isFile;
  } catch {
    return false;
  }
}
