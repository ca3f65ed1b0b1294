/** Requests that use everything sessions can do, to see what remains in a store. */
import { type Session, SessionMiddleware } from "@pagi/session";
import type { VersionedStore } from "@pagi/session/store";
import { cookieOf, fakeClock, idOf, keyOf, requestWith, verifierOf } from "./helpers.ts";

/** The secret of the middleware and of the encrypted stores. */
export const SECRET = "a secret of thirty-two bytes or so";

const [USER, NAME, CANARY, CARD, KEY] = [
  "ada.lovelace@example.org",
  "grace.hopper@example.org",
  "canary-7f3b52",
  "4111111111111111",
  "shopping-basket",
] as const;

/** Words in the sessions: values, subjects and a key. */
export const WORDS: readonly string[] = [USER, NAME, CANARY, CARD, KEY];

/** A browser, and the IDs that it received, in order. */
class Browser {
  readonly ids: string[] = [];
  readonly #sessions: SessionMiddleware;
  readonly #advance: (seconds: number) => void;
  #cookie = "";

  constructor(sessions: SessionMiddleware, advance: (seconds: number) => void) {
    this.#sessions = sessions;
    this.#advance = advance;
  }

  async visit(act: (session: Session) => unknown = () => {}): Promise<void> {
    // Late enough for a touch.
    this.#advance(100);
    const response = await this.#sessions.run(requestWith({ cookie: this.#cookie }), (session) => {
      act(session);
      return new Response();
    });
    if (response.headers.getSetCookie().length === 0) return;
    this.#cookie = cookieOf(response);
    const id = this.#cookie.split("=")[1]!;
    if (id !== "" && !this.ids.includes(id)) this.ids.push(id);
  }
}

/** The IDs that the browsers received, in order. */
export interface Story {
  /** Its last ID is valid. */
  first: string[];
  /** This browser has signed out. */
  second: string[];
  /** Its only ID is valid. */
  third: string[];
  all: string[];
  /** The first halves of all IDs, including those that no browser received. */
  verifiers: string[];
  /** The second halves of all IDs. */
  keys: string[];
}

/** Runs the requests on a store. */
export async function story(store: VersionedStore): Promise<Story> {
  const clock = fakeClock(Math.floor(Date.now() / 1000));
  const made: string[] = [];
  const bytes = () => crypto.getRandomValues(new Uint8Array(32));
  const sessions = new SessionMiddleware({
    secret: SECRET,
    store,
    now: clock.now,
    generateId() {
      // IDs that no browser receives count, too.
      const id = Array.from(bytes(), (byte) => byte.toString(16).padStart(2, "0")).join("");
      made.push(id);
      return id;
    },
  });
  const browser = () => new Browser(sessions, clock.advance);

  const first = browser();
  await first.visit((session) => session.set(KEY, [CANARY]));
  await first.visit((session) => session.subject = USER);
  for (let turn = 0; turn < 6; turn++) {
    await first.visit();
    await first.visit((session) => session.set("card", `${CARD} ${turn}`));
    await first.visit((session) => session.regenerate());
  }
  await Promise.all([
    first.visit((session) => session.set("a", CANARY)),
    first.visit((session) => session.set("b", CANARY)),
    first.visit(),
  ]);
  await sessions.update(first.ids.at(-1)!, (data) => void (data.note = CANARY));

  const second = browser();
  await second.visit((session) => session.set("name", NAME));
  await second.visit((session) => session.regenerate());
  // One of them wins, and nobody receives the ID that another one has generated.
  await Promise.allSettled([
    second.visit((session) => session.regenerate()),
    second.visit((session) => session.set("n", CANARY)),
    second.visit((session) => session.regenerate()),
  ]);
  await second.visit((session) => session.destroy());

  const third = browser();
  await third.visit((session) => session.set("name", NAME));
  await third.visit();
  for (const cookie of [idOf("0"), NAME, ""]) {
    await sessions.load(requestWith({ cookie: `pagi_session=${cookie}` }));
  }
  const all = [first, second, third].flatMap(({ ids }) => ids);
  return {
    first: first.ids,
    second: second.ids,
    third: third.ids,
    all,
    verifiers: made.map(verifierOf),
    keys: [...new Set(all.map(keyOf))],
  };
}
