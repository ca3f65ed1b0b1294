/** Concurrent browsers on several servers, each with one cookie. They record every response. */
import { type Balance, blank, type Found, Life, settle } from "./_books.ts";
import type { Answer } from "./_e2e_app.ts";

/** The state of a browser. */
interface Browser {
  life?: Life;
  cookie?: string;
  /** While its first request is in progress, the others wait. */
  starting?: Promise<void>;
}

/** A response. */
interface Reply {
  status: number;
  /** Whether the server refused the request, and saved nothing. */
  isRefused: boolean;
  answer?: Answer;
  /** The cookie that it sets; empty if it clears the cookie. */
  cookie?: string;
}

/** The actions of a hundred requests. The others only look. */
const SHARES = { count: 62, note: 10, "sign-in": 6, "sign-out": 3, late: 4 };
type Action = keyof typeof SHARES | "look";

/** Sends a request. */
export type Visit = (path: string, cookie: string | undefined) => Promise<Response>;

/** Visits several servers, one after the other. */
export function visitOrigins(origins: string[]): Visit {
  let turn = 0;
  return (path, cookie) => {
    const origin = origins[turn++ % origins.length]!;
    return fetch(origin + path, { headers: cookie === undefined ? {} : { cookie } });
  };
}

/** Browsers, and the balance of their responses. */
export class Browsers {
  readonly balance: Balance = blank();
  readonly #browsers: Browser[];
  readonly #lives: Life[] = [];
  readonly #ended: Life[] = [];
  #notes = 0;

  constructor(count: number) {
    this.#browsers = Array.from({ length: count }, () => ({}));
  }

  /** Sends `atOnce` concurrent requests until `isOver`. */
  async load(visit: Visit, atOnce: number, isOver: () => boolean): Promise<void> {
    const one = async () => {
      while (!isOver()) await this.#act(visit);
    };
    await Promise.all(Array.from({ length: atOnce }, one));
  }

  /** Examines every session, and returns the balance. */
  async close(visit: Visit): Promise<Balance> {
    for (const life of this.#lives) await this.#settle(life, visit);
    return this.balance;
  }

  /** After a server has been killed: finds out which requests without a response took effect. */
  async recover(visit: Visit): Promise<void> {
    const browsers = this.#browsers.filter(({ life }) => life?.uncertain || life?.isLost);
    await Promise.all(browsers.map((browser) => this.#recover(browser, visit)));
  }

  async #recover(browser: Browser, visit: Visit): Promise<void> {
    const life = browser.life!;
    const found = await this.#open(life, browser.cookie!, visit);
    const isGone = found === undefined;
    if (isGone && !life.isLost) this.balance.dead++;
    if (found !== undefined) {
      this.balance.lost += Math.max(0, life.counted - found.n);
      this.balance.extra += Math.max(0, found.n - life.counted - life.uncertain);
      Object.assign(life, { counted: found.n, uncertain: 0, isLost: false });
    } else {
      // It has ended, or its browser did not receive its new ID.
      browser.life = browser.cookie = undefined;
    }
  }

  async #settle(life: Life, visit: Visit): Promise<void> {
    const opened: Found[] = [];
    for (const cookie of life.cookies) {
      const found = await this.#open(life, cookie, visit);
      if (found !== undefined) opened.push(found);
    }
    settle(life, opened, this.balance);
  }

  /** Returns the data that a cookie opens, if it is still valid. */
  async #open(life: Life, cookie: string, visit: Visit): Promise<Found | undefined> {
    const reply = await this.#send(visit, "/all", cookie);
    if (reply?.status !== 200) this.balance.strange.add(`/all answers ${reply?.status}`);
    const { life: name, n = 0, notes = [] } = reply?.answer ?? {};
    if (name !== undefined && name !== life.name) this.balance.strange.add("somebody else's life");
    return name === undefined ? undefined : { n, notes };
  }

  async #act(visit: Visit): Promise<void> {
    const action = chooseAction();
    if (action === "late") return await this.#comeLate(visit);
    // The first ones are busier, so that requests meet.
    const browser = this.#browsers[Math.floor(this.#browsers.length * Math.random() ** 2)]!;
    if (browser.life === undefined) {
      browser.starting ??= this.#start(browser, visit).finally(() => browser.starting = undefined);
      return await browser.starting;
    }
    await this.#use(browser, browser.life, action, visit);
  }

  async #start(browser: Browser, visit: Visit): Promise<void> {
    const life = new Life();
    const reply = await this.#send(visit, `/start?life=${life.name}`, undefined);
    if (reply?.status !== 200 || !reply.cookie) {
      if (reply?.status === 200) this.balance.strange.add("a start without a cookie");
      return;
    }
    life.cookies.add(reply.cookie);
    this.#lives.push(life);
    browser.cookie = reply.cookie;
    browser.life = life;
  }

  async #use(browser: Browser, life: Life, action: Action, visit: Visit): Promise<void> {
    const sent = browser.cookie!;
    const before = { counted: life.counted, isEnded: life.isEnded };
    const key = String(this.#notes++);
    const reply = await this.#send(visit, `/${action}?key=${key}`, sent);
    if (reply?.isRefused) return;
    if (reply?.status !== 200) {
      // It may or may not have taken effect.
      if (action === "count") life.uncertain++;
      if (action === "sign-in" || action === "sign-out") life.isLost = true;
      return;
    }
    if (reply.cookie) {
      life.cookies.add(reply.cookie);
      // A browser that has another cookie by now keeps that.
      if (browser.cookie === sent) browser.cookie = reply.cookie;
    }
    if (action === "sign-out") return this.#end(browser, life);
    const { life: name, n } = reply.answer!;
    // The session has ended, or has another ID by now.
    if (name === undefined) return;
    if (name !== life.name) this.balance.strange.add("somebody else's session");
    if (before.isEnded) this.balance.resurrected++;
    this.balance.lost += Math.max(0, before.counted - n);
    if (action === "count") life.counted++;
    if (action === "note") life.notes.add(key);
    if (action === "sign-in") this.balance.signedIn++;
  }

  #end(browser: Browser, life: Life): void {
    this.balance.signedOut++;
    life.isEnded = true;
    this.#ended.push(life);
    if (browser.life === life) browser.life = browser.cookie = undefined;
  }

  /** Sends a cookie of a session that has ended. */
  async #comeLate(visit: Visit): Promise<void> {
    const life = this.#ended[Math.floor(this.#ended.length * Math.random())];
    if (life === undefined) return;
    const cookies = [...life.cookies];
    const cookie = cookies[Math.floor(cookies.length * Math.random())]!;
    const reply = await this.#send(visit, Math.random() < 0.5 ? "/look" : "/count", cookie);
    if (reply?.answer?.life !== undefined) this.balance.resurrected++;
  }

  /** Sends a request; `undefined` if the server was killed before it responded. */
  async #send(visit: Visit, path: string, cookie: string | undefined): Promise<Reply | undefined> {
    try {
      const response = await visit(path, cookie);
      const { status } = response;
      const body = await response.text();
      if (status === 409) this.balance.refused++;
      const isBusy = status === 503 && body.includes("busy");
      if (isBusy) this.balance.busy++;
      else if (status === 503) this.balance.unavailable++;
      if (![200, 409, 503].includes(status)) this.balance.strange.add(`status ${status}`);
      return {
        status,
        isRefused: status === 409 || isBusy,
        answer: status === 200 ? JSON.parse(body) : undefined,
        cookie: cookieIn(response),
      };
    } catch {
      this.balance.unanswered++;
      return undefined;
    }
  }
}

function chooseAction(): Action {
  let left = Math.random() * 100;
  for (const [action, share] of Object.entries(SHARES)) {
    left -= share;
    if (left < 0) return action as Action;
  }
  return "look";
}

/** Returns the cookie that a response sets; empty if it clears the cookie. */
function cookieIn(response: Response): string | undefined {
  const [header] = response.headers.getSetCookie();
  if (header === undefined) return undefined;
  return header.includes("Max-Age=0") ? "" : header.split(";")[0];
}
