/** With revocations, no copy of a cookie outlives the end of its session, even in a race. */
import { assert, assertEquals } from "@std/assert";
import { MemoryStore } from "@pagi/session";
import { formatRaces, simulateRaces } from "@pagi/session/testing/store";
import { keyOf } from "../../../base/id.ts";
import { CookieStore } from "../../../store/cookie.ts";
import { secret } from "../../_kit/cookie_store.ts";

const { signal } = new AbortController();

/** A store that records what it encrypted, and which IDs and sessions came to an end. */
class Account extends CookieStore {
  readonly #values: { id: string; value: string; name: string | undefined }[] = [];
  readonly #replaced = new Set<string>();
  readonly #ended = new Set<string>();

  override async seal(...args: Parameters<CookieStore["seal"]>) {
    const value = await super.seal(...args);
    const [id, _text, { name }] = args;
    if (value !== undefined) this.#values.push({ id, value, name });
    return value;
  }

  override async replaceId(...args: Parameters<CookieStore["replaceId"]>) {
    const isReplaced = await super.replaceId(...args);
    if (isReplaced !== false) this.#replaced.add(args[0]);
    return isReplaced;
  }

  override async end(...args: Parameters<CookieStore["end"]>) {
    const isEnded = await super.end(...args);
    this.#ended.add(keyOf(args[0]));
    return isEnded;
  }

  /** How many values are of an ID that came to an end, and how many of them open all the same. */
  async settle() {
    const givenUp = this.#values.filter(({ id }) => {
      return this.#replaced.has(id) || this.#ended.has(keyOf(id));
    });
    let replayed = 0;
    for (const { value, name } of givenUp) {
      const opened = await this.open(value, { name, signal });
      if (opened !== undefined && opened.replacedAt === undefined) replayed++;
    }
    return { givenUp: givenUp.length, replayed };
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
