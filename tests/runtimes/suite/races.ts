/** What requests that run at once make of one session. */
import { MemoryStore } from "@pagi/session/store/memory";
import { formatRaces, simulateRaces } from "@pagi/session/testing";
import { type Cases, Client, moment, same, setUp, type Visit } from "./_kit.ts";

const AT_ONCE = 50;
const SCHEDULES = 300;

export const races: Cases = {
  async "two requests at once that write two keys both keep theirs"() {
    const { first, second, client } = await overlap(
      (session) => session.set("user", "ada"),
      (session) => session.set("cart", []),
    );
    same([first.status, second.status], [200, 200], "the statuses");
    same((await client.visit()).data, { user: "ada", n: 0, cart: [] });
  },

  async "an update of one key by many requests at once counts each of them"() {
    const { client, sessions } = setUp();
    await client.visit((session) => session.set("n", 0));
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      const tab = new Client(sessions, client.cookie);
      await tab.visit((session) => session.update("n", (n = 0) => n + 1));
    }));
    same((await client.visit()).data, { n: AT_ONCE });
  },

  async "a request in flight does not bring back a session that was ended"() {
    const { first, client } = await overlap(
      (session) => session.set("n", 1),
      (session) => session.destroy(),
    );
    same([first.status, first.cookies], [409, []], "what the request in flight got");
    same((await client.visit()).data, {});
  },

  async "a request in flight gets no cookie that would undo a login"() {
    const { first, client } = await overlap(
      () => {},
      (session) => session.set("user", "ada").regenerate(),
    );
    same([first.status, first.cookies], [200, []], "what the request in flight got");
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

/** One session, and two requests: the second starts and ends while the first is in its handler. */
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
