/** Chromium, driven by Playwright. Each test has a browser with its own profile. */
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
  // Host names for several sites on this machine.
  "--host-resolver-rules=MAP *.test 127.0.0.1",
];

/** Chrome's default. Debian's Chromium blocks third-party cookies by default. */
const PREFERENCES = { profile: { block_third_party_cookies: false, cookie_controls_mode: 0 } };

/** The setup of a browser. */
export interface Setup {
  /** Preferences to add to the profile. */
  preferences?: Record<string, unknown>;
  /** Features to enable that are off by default. */
  features?: string;
}

/** A cookie as Chromium stores it. */
export interface StoredCookie {
  name: string;
  value: string;
  domain: string;
  path: string;
  /** In Unix seconds, or -1 if the cookie has no expiry. */
  expires: number;
  httpOnly: boolean;
  secure: boolean;
  /** Whether the browser deletes the cookie when it is closed. */
  session: boolean;
  sameSite?: "Strict" | "Lax" | "None";
  priority: "Low" | "Medium" | "High";
  partitionKey?: { topLevelSite: string; hasCrossSiteAncestor: boolean };
}

/** A browser with its profile, which is deleted at the end. */
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

  /** Returns all cookies in the browser. */
  async jar(): Promise<StoredCookie[]> {
    // A persistent profile starts with one tab. The tests open their own tabs.
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
    // Real browsers have this cache. A page that it restores causes no request.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
}

/** Defines a test in the browser. Without Chromium it is skipped, or fails if CI is set. */
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
