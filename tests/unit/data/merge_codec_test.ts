/** Where a text and a merge of two meet the codecs: what looks like a tag, and what is the package's own. */
import { assertEquals } from "@std/assert";
import { keyOf, verifierOf } from "../../../base/id.ts";
import { PLAIN_CODEC } from "../../../data/codec.ts";
import { setUp } from "../../_kit/tabs.ts";

const CODECS = ["json", "structured"] as const;
/** To JSON it is a list like any other. */
const LOOKS_LIKE_A_TAG = ["$date", 5];

for (const codec of CODECS) {
  Deno.test(`a merge keeps lists that look like tags, and replays on them, with codec ${codec}`, async () => {
    const { tab, stored } = await setUp({ codec });
    await tab((session) => session.set("tag", LOOKS_LIKE_A_TAG));
    await tab(async (session) => {
      await tab((other) => other.update("tag", (tag) => [...tag as unknown[], "theirs"]));
      session.set("own", LOOKS_LIKE_A_TAG);
      session.update("tag", (tag) => [...tag as unknown[], "mine"]);
    });
    const seen: unknown[] = [];
    await tab((session) => seen.push(session.get("tag"), session.get("own")));
    assertEquals(seen, [[...LOOKS_LIKE_A_TAG, "theirs", "mine"], LOOKS_LIKE_A_TAG]);
    assertEquals((await stored()).a, 1);
  });

  Deno.test(`update() of a key that others made meanwhile is replayed, with codec ${codec}`, async () => {
    const { tab, stored } = await setUp({ codec });
    await tab(async (session) => {
      await tab((other) => other.set("new", 10));
      session.update("new", (value) => Number(value ?? 0) + 1);
    });
    assertEquals((await stored()).new, 11);
  });

  Deno.test(`the text of a merge says nothing of tags where there are none, with codec ${codec}`, async () => {
    const { tab, store, id } = await setUp({ codec, now: () => 5000 });
    await tab(async (session) => {
      await tab((other) => other.set("b", 2));
      session.set("a", 2);
    });
    assertEquals(
      store.read(keyOf(id))?.text,
      `s1:${verifierOf(id)}{"_created":5,"n":0,"a":2,"b":2}`,
    );
  });

  Deno.test(`what an app writes under reserved keys is not in the text, with codec ${codec}`, async () => {
    const { tab, store, id } = await setUp({ codec, now: () => 5000 });
    const own = { _created: 1, _regenerated: false, _destroyed: false, _codec: null };
    for (const [at, [key, value]] of Object.entries(own).entries()) {
      await tab((session) => Object.assign(session.data, { [key]: value, a: at }));
      const json = `{"_created":5,"n":0,"a":${at},"b":1}`;
      assertEquals(store.read(keyOf(id))?.text, `s1:${verifierOf(id)}${json}`);
    }
  });
}

Deno.test("PLAIN_CODEC.toJsonTree() takes nothing for a tag", () => {
  const text = '{"_created":1,"a":["$date",5]}';
  assertEquals(JSON.stringify(PLAIN_CODEC.toJsonTree(text)), text);
});

Deno.test("update() is not replayed when its value was written before, though JSON has no such value", async () => {
  const { tab, stored } = await setUp();
  await tab(async (session) => {
    await tab((other) => other.set("new", 5));
    session.data.new = 10n;
    session.update("new", (value) => Number(value) + 1);
  });
  assertEquals((await stored()).new, 11);
});
