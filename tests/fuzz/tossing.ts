/** Several cookies of our name in one request, through the fetch door: a sibling domain's attack. */
import {
  MemoryStore,
  type Session,
  SessionError,
  type SessionEvent,
  SessionMiddleware,
} from "@pagi/session";
import fc from "npm:fast-check@4.10.2";
import type { Campaign } from "./_campaign.ts";

const NAME = "pagi_session";
/** How many ids of one client may cost a store call. */
const MOST_TRIED = 4;

/** A cookie that a client may have; several of a kind are told apart by their number. */
interface Candidate {
  kind: "live" | "moved" | "dead" | "malformed";
  number: number;
}

const candidate: fc.Arbitrary<Candidate> = fc.record({
  kind: fc.constantFrom("live", "live", "moved", "dead", "dead", "malformed"),
  number: fc.nat({ max: 4 }),
});

const visit = fc.record({
  candidates: fc.array(candidate, { maxLength: 8 }),
  glue: fc.constantFrom("; ", ";", " ;\t"),
  isWriting: fc.boolean(),
});

/** What a visit is answered with. */
interface Outcome {
  /** Whose session it was: its mark, if any. */
  mark: unknown;
  /** The code of the error that the write ended with. */
  refusal: string | undefined;
  ambiguous: boolean;
  cookies: string[];
  reads: number;
}

/** At most four are looked up; of two live sessions none is taken, and the client gets no cookie. */
export const tossing: Campaign = {
  name: "tossing",
  counts: { long: 100_000, brief: 3_000 },
  async run(count, seed) {
    const world = await World.make();
    const seen: Record<string, number> = {};
    await fc.assert(
      fc.asyncProperty(visit, async ({ candidates, glue, isWriting }) => {
        const ids = candidates.map((one) => world.idOf(one));
        const outcome = await world.visit(ids.map((id) => `${NAME}=${id}`).join(glue), isWriting);
        const expected = expectedOf(candidates);
        check(outcome, expected, isWriting);
        if (
          outcome.cookies.some((cookie) => ids.some((id) => cookie.startsWith(`${NAME}=${id};`)))
        ) {
          throw new Error("A presented id is adopted");
        }
        seen[expected.kind] = (seen[expected.kind] ?? 0) + 1;
      }),
      { numRuns: count, seed: seed | 0, includeErrorInReport: true },
    );
    return Object.entries(seen).map(([kind, times]) => `${times} ${kind}`).join(", ");
  },
};

type Expected = { kind: "live"; mark: number } | { kind: "moved" | "ambiguous" | "new" };

/** The rule of decision 0007, said once more. */
function expectedOf(candidates: Candidate[]): Expected {
  const wellFormed = candidates.filter(({ kind }) => kind !== "malformed");
  const different = new Map(wellFormed.map((one) => [`${one.kind} ${one.number}`, one]));
  if (different.size > MOST_TRIED) return { kind: "ambiguous" };
  const tried = [...different.values()];
  const live = tried.filter(({ kind }) => kind === "live");
  if (live.length > 1) return { kind: "ambiguous" };
  if (live.length === 1) return { kind: "live", mark: live[0]!.number };
  if (tried.some(({ kind }) => kind === "moved")) return { kind: "moved" };
  return { kind: "new" };
}

function check(outcome: Outcome, expected: Expected, isWriting: boolean): void {
  const { kind } = expected;
  const refusals = { ambiguous: "ERR_SESSION_AMBIGUOUS", moved: "ERR_SESSION_INTERRUPTED" };
  const isRefused = kind === "ambiguous" || kind === "moved";
  const rules: [what: string, holds: boolean][] = [
    ["at most four store calls", outcome.reads <= MOST_TRIED],
    ["an event when it is ambiguous alone", outcome.ambiguous === (kind === "ambiguous")],
    ["the one live session", outcome.mark === (kind === "live" ? expected.mark : undefined)],
    [
      "a write that is refused unless there is a session to write to",
      outcome.refusal === (isRefused && isWriting ? refusals[kind] : undefined),
    ],
    // A write to a session whose id the client has needs no cookie.
    [
      "a cookie for a new session alone",
      outcome.cookies.length === (kind === "new" && isWriting ? 1 : 0),
    ],
  ];
  for (const [what, holds] of rules) {
    if (!holds) throw new Error(`Expected ${what}, ${Deno.inspect({ expected, outcome })}`);
  }
}

/** Five live sessions, five that have moved on, and the server. */
class World {
  readonly #sessions: SessionMiddleware;
  readonly #live: string[] = [];
  readonly #moved: string[] = [];
  readonly #events: SessionEvent["type"][] = [];
  #reads = 0;

  private constructor() {
    const store = new MemoryStore({ now: () => 0 });
    const read = store.read.bind(store);
    store.read = (id) => {
      this.#reads++;
      return read(id);
    };
    this.#sessions = new SessionMiddleware({
      secret: "fuzz",
      store,
      now: () => 1_700_000_000_000,
      onEvent: ({ type }) => void this.#events.push(type),
    });
  }

  static async make(): Promise<World> {
    const world = new World();
    for (let number = 0; number < 5; number++) {
      world.#live.push(await world.#open((session) => session.set("mark", number)));
      const old = await world.#open((session) => session.set("mark", `moved ${number}`));
      await world.#open((session) => session.regenerate(), `${NAME}=${old}`);
      world.#moved.push(old);
    }
    return world;
  }

  /** The id that a response hands out when the session was written to by `work`. */
  async #open(work: (session: Session) => unknown, cookie = ""): Promise<string> {
    const response = await this.#sessions.run(request(cookie), (session) => {
      work(session);
      return new Response();
    });
    return response.headers.getSetCookie()[0]!.split(";")[0]!.slice(NAME.length + 1);
  }

  idOf({ kind, number }: Candidate): string {
    switch (kind) {
      case "live":
        return this.#live[number]!;
      case "moved":
        return this.#moved[number]!;
      case "dead":
        return `${number}`.repeat(64);
      case "malformed":
        return ["", "x", "A".repeat(64), "a".repeat(63), `"${this.#live[0]}"`][number]!;
    }
  }

  async visit(cookie: string, isWriting: boolean): Promise<Outcome> {
    this.#reads = 0;
    this.#events.length = 0;
    let mark: unknown;
    let refusal: string | undefined;
    const response = await this.#sessions.run(request(cookie), (session) => {
      mark = session.get("mark", undefined);
      try {
        if (isWriting) session.update("n", (n) => Number(n ?? 0) + 1);
      } catch (error) {
        if (!(error instanceof SessionError)) throw error;
        refusal = error.code;
      }
      return new Response();
    });
    return {
      mark,
      refusal,
      ambiguous: this.#events.includes("ambiguous"),
      cookies: response.headers.getSetCookie(),
      reads: this.#reads,
    };
  }
}

function request(cookie: string): Request {
  return new Request("http://localhost/", { headers: { cookie } });
}
