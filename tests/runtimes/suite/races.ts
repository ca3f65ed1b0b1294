/** Concurrent requests with one session. */
import { MemoryStore } from "@pagi/session/store/memory";
import { formatRaces, simulateRaces } from "@pagi/session/testing/store";
import { type Cases, Client, moment, same, setUp, type Visit } from "./_kit.ts";

const REQUESTS = 50;
const SCHEDULES = 300;

export const races: Cases = {
  async "two concurrent requests that write different keys both keep their change"() {
    const { first, second, client } = await overlap(
      (session) => session.set("user", "ada"),
      (session) => session.set("cart", []),
    );
    same([first.status, second.status], [200, 200], "the statuses");
    same((await client.visit()).data, { user: "ada", n: 0, cart: [] });
  },

  async "updates of one key by many concurrent requests all count"() {
    const { client, sessions } = setUp();
    await client.visit((session) => session.set("n", 0));
    await Promise.all(Array.from({ length: REQUESTS }, async () => {
      const tab = new Client(sessions, client.cookie);
      await tab.visit((session) => session.update("n", (n = 0) => n + 1));
    }));
    same((await client.visit()).data, { n: REQUESTS });
  },

  async "a request in progress does not bring back a session that was ended"() {
    const { first, client } = await overlap(
      (session) => session.set("n", 1),
      (session) => session.destroy(),
    );
    same([first.status, first.cookies], [409, []], "the response to the request in progress");
    same((await client.visit()).data, {});
  },

  async "a request in progress gets no cookie that would undo a login"() {
    const { first, client } = await overlap(
      () => {},
      (session) => session.set("user", "ada").regenerate(),
    );
    same([first.status, first.cookies], [200, []], "the response to the request in progress");
    same((await client.visit()).data, { user: "ada", n: 0 });
  },

  async "random schedules of concurrent requests break no guarantee"() {
    const open = () => new MemoryStore();
    const report = await simulateRaces({ open, runs: SCHEDULES, exhaustive: false });
    same(report.failures, [], formatRaces(report));
    same(report.runs, SCHEDULES, "the number of schedules");
  },
};

type Work = NonNullable<Parameters<Client["visit"]>[0]>;

/** Sends two requests with one session. The second runs while the first is in its handler. */
async function overlap(
  early: Work,
  late: Work,
): Promise<{ first: Visit; second: Visit; client: Client }> {
  const { client, sessions } = setUp();
  await client.visit((session) => session.set("n", 0));
  const [isOpen, isOver] = [moment(), moment()];
  const first = new Client(sessions, client.cookie).visit(async (session) => {
    isOpen.reach();
    await isOver.reached;
    await early(session);
  });
  await isOpen.reached;
  const second = await client.visit(late);
  isOver.reach();
  return { first: await first, second, client };
}
