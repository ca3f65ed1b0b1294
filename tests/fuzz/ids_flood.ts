/** Sends many requests without a session that write nothing. */
import { MemoryStore, Session, SessionMiddleware } from "@pagi/session";
import { type Campaign, failure } from "./_campaign.ts";
import { Random } from "./_random.ts";
import { looking, visit } from "./_visit.ts";

/** Every way to read from a session. */
const READS: ((session: Session) => unknown)[] = [
  (session) => session.id,
  (session) => session.data._created,
  (session) => session.subject,
  (session) => session.get("user", "nobody"),
  (session) => session.exists("user"),
  (session) => session.keys(),
  (session) => session.slice("user", "cart"),
  () => {},
];

/** No request creates a record or gets a cookie. */
export const idsFlood: Campaign = {
  name: "ids-flood",
  counts: { long: 100_000, brief: 10_000 },
  async run(count, seed) {
    const random = new Random(seed);
    const store = new MemoryStore();
    const sessions = new SessionMiddleware({
      secret: "the secret of the tests: 32 bytes or more",
      store,
    });
    let read = READS[0]!;
    const app = sessions.wrap(looking((data) => void read(new Session(data))));
    const handler = sessions.handler((_request, session) => new Response(String(read(session))));
    for (let at = 0; at < count; at++) {
      read = random.pick(READS);
      const isFetch = random.chance(50);
      const headers = isFetch
        ? [...(await handler(new Request("http://localhost/"))).headers]
        : await visit(app);
      const names = headers.map(([name]) => name.toLowerCase());
      if (names.includes("set-cookie") || store.size > 0) {
        throw failure("A visitor got a session", {
          case: at,
          read,
          headers,
          size: store.size,
        });
      }
    }
    return `${store.size} records and no Set-Cookie after ${count} visits`;
  },
};
