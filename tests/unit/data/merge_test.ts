import { assertEquals } from "@std/assert";
import type { Session } from "@pagi/session";
import { PLAIN_CODEC } from "../../../data/codec.ts";
import { isChanged } from "../../../data/merge.ts";
import { setUp } from "../../_kit/tabs.ts";

Deno.test("clear() of an empty session drops keys that other requests added in the meantime", async () => {
  const { tab, stored } = await setUp();
  await tab((session) => session.clear());
  await tab(async (session) => {
    await tab((other) => other.set("new", true));
    session.clear();
  });
  assertEquals(await stored(), {});
});

Deno.test("the last commit wins when two requests write one key", async () => {
  const { tab, stored } = await setUp();
  await tab(async (session) => {
    await tab((other) => other.set("a", "first"));
    session.set("a", "last");
  });
  assertEquals((await stored()).a, "last");
});

Deno.test("a deleted key stays deleted when another request writes another key", async () => {
  const { tab, stored } = await setUp();
  await tab(async (session) => {
    await tab((other) => other.set("b", 2));
    session.delete("a");
  });
  await tab(async (session) => {
    await tab((other) => other.delete("b"));
    session.set("c", 1);
  });
  assertEquals(await stored(), { n: 0, c: 1 });
});

Deno.test("clear() drops keys that others added in the meantime, and keeps later changes", async () => {
  const { tab, stored } = await setUp();
  await tab(async (session) => {
    await tab((other) => other.set("new", true));
    session.clear().set("only", 1);
  });
  assertEquals(await stored(), { only: 1 });
});

Deno.test("update() is replayed in order when a request calls it twice", async () => {
  const { tab, stored } = await setUp();
  await tab(async (session) => {
    await tab((other) => other.set("n", 10));
    session.update("n", (n) => Number(n) + 1).update("n", (n) => Number(n) * 2);
  });
  assertEquals((await stored()).n, 22);
});

Deno.test("update() is not replayed when the key was also set", async () => {
  const { tab, stored } = await setUp();
  await tab(async (session) => {
    await tab((other) => other.set({ n: 10, a: 10, b: 10 }));
    session.update("n", (n) => Number(n) + 1);
    session.set("n", 5);
    session.data.a = 7;
    session.update("a", (a) => Number(a) + 1);
    session.update("b", (b) => Number(b) + 1);
    session.data.b = 3;
  });
  assertEquals(await stored(), { n: 5, a: 8, b: 3 });
});

Deno.test("update() saves a change when its function changes the value in place", async () => {
  const { tab, stored } = await setUp();
  const add = (item: string) => (session: Session) =>
    session.update("cart", (cart) => {
      const items = cart as string[] ?? [];
      items.push(item);
      return items;
    });
  await tab(async (session) => {
    await tab(add("tea"));
    add("milk")(session);
  });
  assertEquals((await stored()).cart, ["tea", "milk"]);
});

Deno.test("isChanged() parses no text when the length or the first difference shows a change", () => {
  // No session's: whoever reads one of them throws.
  assertEquals(isChanged("abb", "abb", PLAIN_CODEC), false);
  for (
    const [base, mine] of [
      ["ab", "abb"],
      ["abb", "ab"],
      ['{"a":1}', '{"a":2}'],
      ['{"a":"b"', '{"a":"c"'],
      ['{"a":["b"', '{"a":["c"'],
      ['{"a":"b","c":true', '{"a":"b","c":null'],
      ['{"a":1,', '{"a":1}'],
    ] as const
  ) {
    assertEquals(isChanged(base, mine, PLAIN_CODEC), true, mine);
  }
});

Deno.test("isChanged() is false when keys with a common start or quotation marks are reordered", () => {
  for (
    const [base, mine] of [
      ['{"a":1,"ab":2}', '{"ab":2,"a":1}'],
      ['{"a\\"b":1,"a\\"c":2}', '{"a\\"c":2,"a\\"b":1}'],
      ['{"a\\\\":1,"b\\"":2}', '{"b\\"":2,"a\\\\":1}'],
      ['{"":1,"b":2}', '{"b":2,"":1}'],
      ['{"x":[{"a":1},{"b":1,"c":2}]}', '{"x":[{"a":1},{"c":2,"b":1}]}'],
      ['{"x,":1,"x:":2}', '{"x:":2,"x,":1}'],
    ] as const
  ) {
    const [old, now] = [base, mine].map((text) => `{"_created":1,${text.slice(1)}`);
    assertEquals(isChanged(old!, now!, PLAIN_CODEC), false, mine);
    assertEquals(isChanged(old!, now!.replace("1}", "3}").replace("1,", "3,"), PLAIN_CODEC), true);
  }
});

Deno.test("isChanged() is false when keys are reordered, and true when a value differs", () => {
  const base = '{"_created":1,"ab":{"x":1,"y":2},"c":3}';
  assertEquals(isChanged(base, base, PLAIN_CODEC), false);
  assertEquals(isChanged(base, '{"_created":1,"c":3,"ab":{"y":2,"x":1}}', PLAIN_CODEC), false);
  // The same letters, and as many of each.
  assertEquals(isChanged(base, '{"_created":1,"ab":{"x":2,"y":1},"c":3}', PLAIN_CODEC), true);
  assertEquals(isChanged(base, '{"_created":1,"ba":{"x":1,"y":2},"c":3}', PLAIN_CODEC), true);
  assertEquals(isChanged(base, '{"_created":1,"ab":{"x":1,"y":2},"c":4}', PLAIN_CODEC), true);
});

Deno.test("update() is not replayed when its result was overwritten or deleted", async () => {
  const { tab, stored } = await setUp();
  await tab(async (session) => {
    await tab((other) => other.set({ n: 10, a: 10 }));
    session.update("n", (n) => Number(n) + 1).set("n", 1);
    session.update("a", (a) => a === 1 ? undefined : a).delete("a");
  });
  assertEquals(await stored(), { n: 1, b: 1 });
});
