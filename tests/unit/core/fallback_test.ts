import { assertEquals } from "@std/assert";
import type { Session } from "@pagi/session";
import { requestWith, rig } from "../../_kit/helpers.ts";

/** Resolves to the events of handlers that do this work, one after the other. */
async function eventsOf(...works: ((session: Session) => unknown)[]): Promise<string[]> {
  const { events, sessions } = rig();
  for (const work of works) {
    await sessions.run(requestWith(), async (session) => {
      await work(session);
      return new Response();
    });
  }
  return events;
}

const CHANGES: Readonly<Record<string, (session: Session) => unknown>> = {
  "a list": (session) => (session.get("cart", []) as string[]).push("tea"),
  "an object": (session) => (session.get("cart", {}) as Record<string, number>).tea = 1,
  "a Map": (session) => (session.get("cart", new Map()) as Map<string, number>).set("tea", 1),
  "the second of two": (session) => {
    session.get("theme", {});
    (session.get("cart", []) as string[]).push("tea");
  },
  "a list that save() does not save": async (session) => {
    (session.set("n", 1).get("cart", []) as string[]).push("tea");
    await session.save();
  },
};

for (const [what, change] of Object.entries(CHANGES)) {
  Deno.test(`get() reports once that a fallback was changed: ${what}`, async () => {
    assertEquals(await eventsOf(change, change), ["fallback-changed"]);
  });
}

const HARMLESS: Readonly<Record<string, (session: Session) => unknown>> = {
  "that is only read": (session) => (session.get("cart", []) as string[]).includes("tea"),
  "that is stored afterwards": (session) => {
    const cart = session.get("cart", []) as string[];
    cart.push("tea");
    session.set("cart", cart);
  },
  "that is stored as a copy": (session) => {
    const cart = session.get("cart", []) as string[];
    cart.push("tea");
    session.set("cart", [...cart]);
  },
  "that is stored under another key": (session) => {
    const cart = session.get("cart", []) as string[];
    cart.push("tea");
    session.set("basket", cart);
  },
  "that is a primitive": (session) => session.get("n", 0),
  "of a key that exists": (session) => {
    (session.set("cart", []).get("cart", []) as string[]).push("tea");
  },
  "of getOrInsert()": (session) => (session.getOrInsert("cart", []) as string[]).push("tea"),
};

for (const [what, work] of Object.entries(HARMLESS)) {
  Deno.test(`get() reports no fallback ${what}`, async () => {
    assertEquals(await eventsOf(work), []);
  });
}

Deno.test("get() watches a handful of fallbacks", async () => {
  const work = (session: Session) => {
    for (let at = 0; at < 1000; at++) session.get(`key ${at}`, []);
    (session.get("cart", []) as string[]).push("tea");
  };
  assertEquals(await eventsOf(work), []);
});
