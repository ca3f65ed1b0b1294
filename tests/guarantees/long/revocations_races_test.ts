import { assert, assertEquals } from "@std/assert";
import { MemoryStore } from "@pagi/session";
import { formatRaces, simulateRaces } from "@pagi/session/testing";
import { CookieStore } from "../../../store/cookie.ts";
import { secret } from "../../_kit/cookie_store.ts";

const { signal } = new AbortController();

/** A store that remembers what it sealed, and which ids were to be given up. */
class Account extends CookieStore {
  readonly #values: { value: string; name: string | undefined }[] = [];
  readonly #givenUp = new Set<string>();

  override async seal(...args: Parameters<CookieStore["seal"]>) {
    const value = await super.seal(...args);
    if (value !== undefined) this.#values.push({ value, name: args[2].name });
    return value;
  }

  override async end(...args: Parameters<CookieStore["end"]>) {
    const left = await super.end(...args);
    this.#givenUp.add(args[0]);
    return left;
  }

  /** How many ids were given up, and how many of these open all the same, whoever has a copy. */
  async settle() {
    const alive = new Set<string>();
    for (const { value, name } of this.#values) {
      const opened = await this.open(value, { name, signal });
      if (opened?.text.startsWith("{")) alive.add(opened.id);
    }
    const replayed = [...this.#givenUp].filter((id) => alive.has(id));
    return { givenUp: this.#givenUp.size, replayed: replayed.length };
  }
}

/** Races on a store, and what its account adds up to. */
async function race(store: Account) {
  const report = await simulateRaces({ open: () => store, runs: 60, exhaustive: false });
  return { report, ...await store.settle() };
}

Deno.test("races on a CookieStore alone show the replay: a copy of the cookie outlives its session", async () => {
  const { report, givenUp, replayed } = await race(new Account({ secret }));
  assert(report.resurrected > 0 && report.lost > 0, JSON.stringify(report));
  assert(givenUp > 50 && replayed > givenUp / 2, `${replayed} of ${givenUp}`);
});

Deno.test("races on a CookieStore with revocations bring back no session that ended or moved", async () => {
  const store = new Account({ secret, revocations: new MemoryStore() });
  const { report, givenUp, replayed } = await race(store);
  assertEquals([report.resurrected, replayed], [0, 0], formatRaces(report));
  assert(givenUp > 50, `${givenUp}`);
  // As before: a whole session travels with each answer, and the last one stays.
  assert(report.lost > 0);
});
