/** With revocations, no copy of a cookie outlives the end of its session, even in a race. */
import { assert, assertEquals } from "@std/assert";
import { MemoryStore } from "@pagi/session";
import { formatRaces, simulateRaces } from "@pagi/session/testing";
import { CookieStore } from "../../../store/cookie.ts";
import { secret } from "../../_kit/cookie_store.ts";

const { signal } = new AbortController();

/** A store that records what it encrypted, and which IDs were revoked. */
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

/** Simulates races on a store. Returns the report and the store's totals. */
async function race(store: Account) {
  const report = await simulateRaces({ open: () => store, runs: 60, exhaustive: false });
  return { report, ...await store.settle() };
}

Deno.test("a copy of a cookie outlives its session when a CookieStore has no revocations", async () => {
  const { report, givenUp, replayed } = await race(new Account({ secret }));
  assert(report.resurrected > 0 && report.lost > 0, JSON.stringify(report));
  assert(givenUp > 50 && replayed > givenUp / 2, `${replayed} of ${givenUp}`);
});

Deno.test("no session that ended or got a new ID comes back when a CookieStore has revocations", async () => {
  const store = new Account({ secret, revocations: new MemoryStore() });
  const { report, givenUp, replayed } = await race(store);
  assertEquals([report.resurrected, replayed], [0, 0], formatRaces(report));
  assert(givenUp > 50, `${givenUp}`);
  // As before: a whole session travels with each answer, and the last one stays.
  assert(report.lost > 0);
});
