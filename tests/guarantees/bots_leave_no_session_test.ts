/** A visitor for whom nothing is written, such as a bot, leaves no session and gets no cookie. */
import { assertEquals } from "@std/assert";
import { MemoryStore, type Session, SessionMiddleware } from "@pagi/session";
import { WAYS } from "../_kit/entry_points.ts";
import { requestWith } from "../_kit/helpers.ts";

/** Handlers that write nothing. */
const READS: Record<string, (session: Session) => unknown> = {
  "does not use the session": () => {},
  "reads a key": (session) => session.get("user", undefined),
  "reads the data": (session) => Object.keys(session.data),
  "reads the ID": (session) => session.id,
};

for (const { name, state, present, told } of WAYS) {
  for (const [what, read] of Object.entries(READS)) {
    Deno.test(`${name}: a visitor leaves no session and gets no ID when the handler ${what}`, async () => {
      const store = new MemoryStore();
      const sessions = new SessionMiddleware({
        secret: "the secret of the tests: 32 bytes or more",
        store,
        state,
      });
      for (const headers of [{}, present("0123456789abcdef".repeat(4)), present("nonsense")]) {
        const response = await sessions.run(requestWith(headers), (session) => {
          read(session);
          return new Response("ok");
        });
        assertEquals([told(response), store.size], [undefined, 0]);
      }
    });
  }
}
