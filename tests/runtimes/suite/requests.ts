/** A session from one request to the next. */
import { MemoryStore } from "@pagi/session/store/memory";
import { type Cases, Client, fails, FORGED, same, setUp } from "./_kit.ts";

export const requests: Cases = {
  async "a first visit that writes nothing gets no cookie"() {
    const store = new MemoryStore();
    const { client } = setUp({ store });
    same((await client.visit()).cookies, [], "what was set");
    same(store.size, 0, "the number of records");
  },

  async "a visit reads what the previous one wrote"() {
    const { client } = setUp();
    const { cookies } = await client.visit((session) => session.set("user", "ada"));
    same(/^pagi_session=[0-9a-f]{64}; Path=\/; HttpOnly; /.test(cookies[0]!), true, "its form");
    same((await client.visit()).data, { user: "ada" });
  },

  async "a write deep inside a value is saved"() {
    const { client } = setUp();
    await client.visit((session) => session.set("cart", [{ sku: "tea", count: 1 }]));
    await client.visit((session) => session.get("cart")[0]!.count++);
    same((await client.visit()).data, { cart: [{ sku: "tea", count: 2 }] });
  },

  async "regenerate() keeps the data, and the old ID is rejected"() {
    const { client, sessions } = setUp();
    await client.visit((session) => session.set("user", "ada"));
    const old = new Client(sessions, client.cookie);
    await client.visit((session) => session.regenerate());
    same(client.cookie === old.cookie, false, "that the id is the same");
    same((await client.visit()).data, { user: "ada" });
    same((await old.visit()).data, {}, "the data under the old ID");
    same((await old.visit((session) => session.set("n", 1))).status, 409, "the old id's status");
  },

  async "rotate() leaves the old ID valid for a while after the client has used the new one"() {
    const { client, sessions, advance } = setUp({ rotateGrace: 30 });
    await client.visit((session) => session.set("n", 1));
    const [old, older] = [new Client(sessions, client.cookie), new Client(sessions, client.cookie)];
    await client.visit((session) => session.rotate());
    same(client.cookie === old.cookie, false, "that the id is the same");
    same((await old.visit()).data, { n: 1 }, "the data under the old ID");
    same(old.cookie === client.cookie, true, "that the old id is answered with the new one");
    await client.visit((session) => session.set("n", 2));
    // Two minutes are added for clocks that differ.
    advance(30 + 120 + 1);
    same((await older.visit()).data, {}, "the data under the old ID later");
    same((await client.visit()).data, { n: 2 });
  },

  async "a handler that ends its own session by destroyAll() goes on as after a logout"() {
    const { client, sessions } = setUp();
    await client.visit((session) => session.subject = "ada");
    const { status, cookies } = await client.visit(async (session) => {
      await sessions.destroyAll("ada");
      session.set("n", 1);
    });
    // Without AsyncLocalStorage, the write is refused.
    const { process } = globalThis as { process?: { getBuiltinModule?: unknown } };
    const isKnown = process?.getBuiltinModule !== undefined;
    same(status, isKnown ? 200 : 409, "the status");
    same(
      cookies.map((one) => one.includes("Max-Age=0")),
      isKnown ? [true] : [],
      "what was cleared",
    );
    same((await client.visit()).data, {});
  },

  async "restart() ends the session and starts an empty one in the same response"() {
    const { client, sessions } = setUp();
    await client.visit((session) => session.set("n", 1));
    const old = new Client(sessions, client.cookie);
    await client.visit((session) => session.restart().set("user", "ada"));
    same((await client.visit()).data, { user: "ada" });
    same((await old.visit()).data, {}, "the data under the old ID");
  },

  async "absence says why there is no stored session"() {
    const { client, sessions, advance } = setUp();
    const absenceOf = async (one: Client) => {
      let absence: string | undefined;
      await one.visit((session) => absence = session.absence);
      return absence;
    };
    same(await absenceOf(client), "none");
    same(await absenceOf(new Client(sessions, `pagi_session=${FORGED}`)), "unknown");
    await client.visit((session) => session.set("n", 1));
    const old = new Client(sessions, client.cookie);
    same(await absenceOf(client), undefined);
    await client.visit((session) => session.regenerate());
    same(await absenceOf(old), "replaced");
    advance(3661);
    same(await absenceOf(client), "expired");
  },

  async "a new subject brings a new ID"() {
    const { client } = setUp();
    await client.visit((session) => session.set("n", 1));
    const { cookie } = client;
    await client.visit((session) => session.subject = "ada");
    same(client.cookie === cookie, false, "that the id is the same");
    same((await client.visit((session) => same(session.subject, "ada"))).data, { n: 1 });
  },

  async "destroy() clears the cookie, and a copy of it is rejected"() {
    const { client, sessions } = setUp();
    await client.visit((session) => session.set("user", "ada"));
    const copy = new Client(sessions, client.cookie);
    const { cookies } = await client.visit((session) => session.destroy());
    same(cookies[0]!.includes("Max-Age=0"), true, "that the cookie is cleared");
    same((await copy.visit()).data, {}, "the data under the copy");
  },

  async "an ID that the server did not issue is not adopted"() {
    const { sessions } = setUp();
    const client = new Client(sessions, `pagi_session=${FORGED}`);
    await client.visit((session) => session.set("n", 1));
    same(client.id === FORGED, false, "that the id was adopted");
    for (const garbage of ["", "=", "%", '"', "x".repeat(5000), "__proto__"]) {
      same((await new Client(sessions, `pagi_session=${garbage}`).visit()).status, 200, garbage);
    }
  },

  async "an unused session ends after expire, and a used one continues"() {
    const { client, advance } = setUp({ expire: 600, touchInterval: 10 });
    await client.visit((session) => session.set("n", 1));
    for (let visit = 0; visit < 6; visit++) {
      advance(600);
      same((await client.visit()).data, { n: 1 });
    }
    // The last visit may have come `touchInterval` later than the store knows.
    advance(611);
    same((await client.visit()).data, {});
  },

  async "absoluteExpire ends a session however much it is used"() {
    const { client, advance } = setUp({ expire: 600, absoluteExpire: 1000 });
    await client.visit((session) => session.set("n", 1));
    advance(550);
    const { cookies } = await client.visit();
    same(cookies[0]!.includes("Max-Age=450"), true, cookies[0]);
    advance(451);
    same((await client.visit()).data, {});
  },

  async "a write after the response was created throws"() {
    const { client } = setUp();
    const [late] = await keep(client);
    await fails("ERR_SESSION_COMMITTED", () => late!.set("n", 2));
  },

  async "every key is data, even names of inherited members"() {
    const { sessions } = setUp();
    const client = new Client(sessions);
    await client.visit((session) => Object.assign(session.data, JSON.parse('{"constructor":1}')));
    await client.visit((session) => {
      same(Object.keys(session.data).includes("constructor"), true, "that constructor is a key");
      same("toString" in session.data, false, "that a name is inherited");
    });
  },

  async "a store that does not respond in time leads to a 503"() {
    const never = () => new Promise<never>(() => {});
    const store = { read: never, create: never, replace: never, touch: never, delete: never };
    const { sessions } = setUp({ store, storeTimeout: 0.01 });
    const { status, cookies } = await new Client(sessions, `pagi_session=${FORGED}`).visit();
    same([status, cookies], [503, []]);
  },
};

async function keep(client: Client) {
  const kept: Parameters<NonNullable<Parameters<Client["visit"]>[0]>>[0][] = [];
  await client.visit((session) => kept.push(session.set("n", 1)));
  return kept;
}
