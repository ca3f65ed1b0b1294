/** If a driver's error quotes a session, nothing of the quotation is passed on. */
import { assert, assertEquals } from "@std/assert";
import { MemoryStore, type Session, type SessionHash, type SessionOptions } from "@pagi/session";
import { CookieStore } from "../../store/cookie.ts";
import { HashedStore } from "../../store/hashed.ts";
import { SealedStore } from "../../store/sealed.ts";
import {
  DATA,
  Ear,
  type Failure,
  listenedTo,
  quoting,
  quotingError,
  SECRET as secret,
  SUBJECT,
  withConsole,
} from "../_kit/leaks.ts";
import { cookieOf, fakeClock, requestWith } from "../_kit/helpers.ts";
import { type Call, CALLS, PlainMap } from "../_kit/stores.ts";

const FAILURES: Failure[] = ["throws", "rejects", "as a number", "with a cause"];

/** A kind of store, with a way to make its calls fail. */
interface Kind {
  name: string;
  /** Which of a versioned store's calls it makes, or calls like them. */
  calls: readonly Call[];
  make(now: () => number): {
    store: NonNullable<SessionOptions["store"]>;
    fail(call: Call | undefined, failure: Failure): void;
  };
}

/** Creates a kind that is based on a versioned store. */
const on = (
  name: string,
  calls: readonly Call[],
  wrap: (store: MemoryStore, now: () => number) => NonNullable<SessionOptions["store"]>,
): Kind => ({
  name,
  calls,
  make(now) {
    const inner = quoting(new MemoryStore({ now }));
    const fail = (call: Call | undefined, failure: Failure) =>
      inner.fault = call && { call, failure };
    return { store: wrap(inner.store as MemoryStore, now), fail };
  },
});

/** A plain store that fails like a driver. */
class QuotingMap extends PlainMap {
  fault: { call: Call; failure: Failure } | undefined;

  override get(id: string) {
    return this.#call("read", [id], () => super.get(id));
  }
  override set(id: string, hash: SessionHash) {
    return this.#call("replace", [id, JSON.stringify(hash)], () => super.set(id, hash));
  }
  override delete(id: string) {
    return this.#call("delete", [id], () => super.delete(id));
  }
  #call<T>(call: Call, args: unknown[], act: () => T): T {
    if (this.fault?.call !== call) return act();
    throw quotingError(call, args, this.fault.failure);
  }
}

const KINDS: Kind[] = [
  on("MemoryStore", CALLS, (store) => store),
  on("HashedStore", CALLS, (store) => new HashedStore(store)),
  on(
    "SealedStore on HashedStore",
    CALLS,
    (store) => new SealedStore(new HashedStore(store), { secret }),
  ),
  on(
    "CookieStore with revocations",
    ["read", "create", "replace"],
    (revocations, now) => new CookieStore({ secret, revocations, now }),
  ),
  {
    name: "a plain store",
    calls: ["read", "replace", "delete"],
    make() {
      const store = new QuotingMap();
      return { store, fail: (call, failure) => store.fault = call && { call, failure } };
    },
  },
];

const fill = (session: Session) => {
  session.set(DATA);
  session.subject = SUBJECT;
};

for (const kind of KINDS) {
  Deno.test(`${kind.name}: errors and events quote nothing when the driver's error quotes all arguments`, async () => {
    const ear = new Ear();
    const printed = await withConsole(ear, async () => {
      for (const call of kind.calls) {
        for (const failure of FAILURES) await provoke(kind, call, failure, ear);
      }
    });
    assertEquals(printed, 0);
    assert(ear.told.length > 0);
    assertEquals(ear.leaks(), []);
  });
}

/** Makes one call fail in every operation on a session. */
async function provoke(kind: Kind, call: Call, failure: Failure, ear: Ear): Promise<void> {
  const clock = fakeClock();
  const { store, fail } = kind.make(clock.now);
  const sessions = listenedTo(ear, { store, now: clock.now });
  const visit = (cookie: string, act: (session: Session) => unknown) =>
    sessions.run(requestWith({ cookie }), async (session) => {
      ear.keep(session.id);
      await act(session);
      return new Response();
    });
  const acts: ((session: Session) => unknown)[] = [
    (session) => session.keys(),
    (session) => session.set("more", DATA),
    (session) => session.regenerate(),
    (session) => session.subject = `other ${SUBJECT}`,
    (session) => session.destroy(),
    (session) => {
      session.destroy();
      throw new Error("the app's own");
    },
  ];
  for (const act of acts) {
    const cookie = cookieOf(await visit("", fill));
    const value = cookie.split("=")[1]!;
    ear.keep(value);
    clock.advance(61);
    fail(call, failure);
    const outcomes = await Promise.allSettled([
      visit(cookie, act),
      visit("", fill),
      sessions.load(requestWith({ cookie })),
      sessions.update(value, (data) => void (data.more = DATA)),
      sessions.destroy(value),
      // The part that a client sees.
      sessions.handler((_request, session) => (act(session), new Response()))(
        requestWith({ cookie }),
      ),
    ]);
    fail(undefined, failure);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") ear.hear(outcome.reason);
      else if (outcome.value instanceof Response) {
        const { headers } = outcome.value;
        for (const [, cookie] of headers.getSetCookie().entries()) {
          ear.keep(cookie.split(/[=;]/)[1]);
        }
        ear.hear([...headers].filter(([name]) => name !== "set-cookie"));
        ear.hear(await outcome.value.text());
      }
    }
  }
}
