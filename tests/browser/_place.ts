/** The setup of nearly every test: a site, and a browser with a tab. */
import { Browser, type Page, type Setup } from "./_chromium.ts";
import { type Handler, serveHttp, serveHttps, type Site } from "./_site.ts";

/** Options of {@linkcode Place.open}. */
export interface PlaceOptions extends Setup {
  /** @default {"http"} */
  scheme?: "http" | "https";
  /** The site's host name. @default {"shop.test"} */
  host?: string;
}

/** A site and a browser. */
export class Place implements AsyncDisposable {
  readonly site: Site;
  readonly browser: Browser;
  readonly tab: Page;
  /** The site's origin. */
  readonly shop: string;

  private constructor(site: Site, browser: Browser, tab: Page, host: string) {
    this.site = site;
    this.browser = browser;
    this.tab = tab;
    this.shop = site.at(host);
  }

  /** Serves `handler` and starts a browser. */
  static async open(handler: Handler, options: PlaceOptions = {}): Promise<Place> {
    const { scheme = "http", host = "shop.test", ...setup } = options;
    await using stack = new AsyncDisposableStack();
    const site = stack.use(scheme === "http" ? serveHttp(handler) : await serveHttps(handler));
    const browser = stack.use(await Browser.open(setup));
    const place = new Place(site, browser, await browser.tab(), host);
    // From here on, the place disposes of them.
    stack.move();
    return place;
  }

  /** Returns the value of the only cookie, if there is one. */
  async cookie(): Promise<string | undefined> {
    const [cookie, ...others] = await this.browser.jar();
    if (others.length > 0) throw new Error("There is more than one cookie");
    return cookie?.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser[Symbol.asyncDispose]();
    await this.site[Symbol.asyncDispose]();
  }
}
