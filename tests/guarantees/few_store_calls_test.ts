/** A request makes few calls to the store, and one touch at most once in `touchInterval`. */
import { assertEquals } from "@std/assert";
import type { MemoryStore, Session } from "@pagi/session";
import { Client } from "../_kit/client.ts";
import { CALLS } from "../_kit/stores.ts";
import { setUp, setUpClock } from "../_kit/tabs.ts";

/** Records the names of the calls to a store. */
function recordCalls(store: MemoryStore): string[] {
  const calls: string[] = [];
  for (const name of CALLS) {
    const method = store[name].bind(store) as (...args: unknown[]) => unknown;
    Object.assign(store, { [name]: (...args: unknown[]) => (calls.push(name), method(...args)) });
  }
  return calls;
}

Deno.test("wrap() makes one call when a request reads, and two when it writes", async () => {
  const { store, tab } = await setUp();
  const calls = recordCalls(store);
  await tab(() => {});
  await tab((session) => session.set("a", 2));
  assertEquals(calls, ["read", "read", "replace"]);
});

Deno.test("wrap() touches a session that is only read once in touchInterval", async () => {
  const { store, clock, app, cookie } = await setUpClock();
  const calls = recordCalls(store);
  const read = (session: Session) => session.get("a");
  for (const seconds of [59, 1, 0, 59, 1]) {
    clock.seconds += seconds;
    await new Client(app(read), cookie).request();
    calls.push(`after ${seconds}`);
  }
  assertEquals(calls, [
    ...["read", "after 59"],
    ...["read", "touch", "after 1"],
    ...["read", "after 0"],
    ...["read", "after 59"],
    ...["read", "touch", "after 1"],
  ]);
});

Deno.test("wrap() makes one call in place of a touch when a navigation sends the cookie again", async () => {
  const { store, clock, app, cookie } = await setUpClock();
  const calls = recordCalls(store);
  const client = new Client(app((session) => session.get("a")), cookie);
  for (const seconds of [59, 1, 59, 1]) {
    clock.seconds += seconds;
    const { cookies } = await client.navigate();
    calls.push(`${cookies.length} after ${seconds}`);
  }
  assertEquals(calls, [
    ...["read", "0 after 59"],
    ...["read", "replace", "1 after 1"],
    ...["read", "0 after 59"],
    ...["read", "replace", "1 after 1"],
  ]);
});
