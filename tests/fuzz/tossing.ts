/** Sends several session cookies in one request, as an attack from a sibling domain would. */
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
/** The number of IDs in a request that may cost a store call. */
const MOST_TRIED = 4;

/** A cookie that a client may send; `number` distinguishes those of one kind. */
interface Candidate {
  kind: "active" | "replaced" | "dead" | "malformed";
  number: number;
}

const candidate: fc.Arbitrary<Candidate> = fc.record({
  kind: fc.constantFrom("active", "active", "replaced", "dead", "dead", "malformed"),
  number: fc.nat({ max: 4 }),
});

const visit = fc.record({
  candidates: fc.array(candidate, { maxLength: 8 }),
  glue: fc.constantFrom("; ", ";", " ;\t"),
  isWriting: fc.boolean(),
});

/** The observed result of a request. */
interface Outcome {
  /** The mark in the session; undefined without a session. */
  mark: unknown;
  /** The code of the error that the write threw. */
  refusal: string | undefined;
  ambiguous: boolean;
  cookies: string[];
  reads: number;
}

/** At most four IDs are looked up. With two active sessions neither is used, and no cookie is sent. */
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
          throw new Error("An ID that the client sent is adopted");
        }
        seen[expected.kind] = (seen[expected.kind] ?? 0) + 1;
      }),
      { numRuns: count, seed: seed | 0, includeErrorInReport: true },
    );
    return Object.entries(seen).map(([kind, times]) => `${times} ${kind}`).join(", ");
  },
};

type Expected = { kind: "active"; mark: number } | { kind: "replaced" | "ambiguous" | "new" };

/** The rule of decision 0007. */
function expectedOf(candidates: Candidate[]): Expected {
  const wellFormed = candidates.filter(({ kind }) => kind !== "malformed");
  const different = new Map(wellFormed.map((one) => [`${one.kind} ${one.number}`, one]));
  if (different.size > MOST_TRIED) return { kind: "ambiguous" };
  const tried = [...different.values()];
  const active = tried.filter(({ kind }) => kind === "active");
  if (active.length > 1) return { kind: "ambiguous" };
  if (active.length === 1) return { kind: "active", mark: active[0]!.number };
  if (tried.some(({ kind }) => kind === "replaced")) return { kind: "replaced" };
  return { kind: "new" };
}

function check(outcome: Outcome, expected: Expected, isWriting: boolean): void {
  const { kind } = expected;
  const refusals = { ambiguous: "ERR_SESSION_AMBIGUOUS", replaced: "ERR_SESSION_INTERRUPTED" };
  const isRefused = kind === "ambiguous" || kind === "replaced";
  const rules: [what: string, holds: boolean][] = [
    ["at most four store calls", outcome.reads <= MOST_TRIED],
    ["an event if and only if it is ambiguous", outcome.ambiguous === (kind === "ambiguous")],
    [
      "the data of the only active session",
      outcome.mark === (kind === "active" ? expected.mark : undefined),
    ],
    [
      "a write that fails if the request is ambiguous or has an old ID",
      outcome.refusal === (isRefused && isWriting ? refusals[kind] : undefined),
    ],
    // If the client already has the ID of the session, a write sends no cookie.
    [
      "a cookie only for a new session",
      outcome.cookies.length === (kind === "new" && isWriting ? 1 : 0),
    ],
  ];
  for (const [what, holds] of rules) {
    if (!holds) throw new Error(`Expected ${what}, ${Deno.inspect({ expected, outcome })}`);
  }
}

/** A server with five active sessions, and five sessions whose IDs were regenerated. */
class World {
  readonly #sessions: SessionMiddleware;
  readonly #active: string[] = [];
  readonly #replaced: string[] = [];
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
      secret: "the secret of the tests: 32 bytes or more",
      store,
      now: () => 1_700_000_000_000,
      onEvent: ({ type }) => void this.#events.push(type),
    });
  }

  static async make(): Promise<World> {
    const world = new World();
    for (let number = 0; number < 5; number++) {
      world.#active.push(await world.#open((session) => session.set("mark", number)));
      const old = await world.#open((session) => session.set("mark", `replaced ${number}`));
      await world.#open((session) => session.regenerate(), `${NAME}=${old}`);
      world.#replaced.push(old);
    }
    return world;
  }

  /** Runs `work` in a request and returns the ID that the response sends. */
  async #open(work: (session: Session) => unknown, cookie = ""): Promise<string> {
    const response = await this.#sessions.run(request(cookie), (session) => {
      work(session);
      return new Response();
    });
    return response.headers.getSetCookie()[0]!.split(";")[0]!.slice(NAME.length + 1);
  }

  idOf({ kind, number }: Candidate): string {
    switch (kind) {
      case "active":
        return this.#active[number]!;
      case "replaced":
        return this.#replaced[number]!;
      case "dead":
        return `${number}`.repeat(64);
      case "malformed":
        return ["", "x", "A".repeat(64), "a".repeat(63), `"${this.#active[0]}"`][number]!;
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
