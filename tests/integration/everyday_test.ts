/**
 * Lifetimes, flash messages and values that are taken once, on each store: many requests at the same
 * time, through two servers that share it.
 */
import { assert, assertEquals } from "@std/assert";
import { type Session, SessionError, type SessionLifetime, SessionMiddleware } from "@pagi/session";
import { BACKENDS } from "./_backends.ts";
import { serverTest } from "./_servers.ts";
import { STORES } from "./_stores.ts";

const DAY = 86_400;
const REMEMBERED = { idle: 30 * DAY, persistent: true };
/** Simultaneous requests. */
const AT_ONCE = 12;

type Work = (session: Session) => unknown;

for (const { name, missing, start } of BACKENDS) {
  serverTest(
    missing,
    `${name}: lifetimes, messages and pulls of simultaneous requests`,
    async () => {
      await using place = await start();
      const opened = [await STORES[name]!(place.where), await STORES[name]!(place.where)];
      const servers = opened.map(({ store }) => {
        return new SessionMiddleware({
          secret: "a secret of thirty-two bytes or so",
          store,
          onEvent: () => {},
        });
      });
      /** Sends a request to one of the servers. */
      const send = async (cookie: string, work: Work, at = 0) => {
        let value: unknown;
        const request = new Request("http://localhost/", { headers: { cookie } });
        const response = await servers[at % servers.length]!.run(request, async (session) => {
          value = await work(session);
          return new Response();
        });
        return { value, cookie: response.headers.getSetCookie()[0] };
      };
      /** Sends as many requests at the same time, each of which waits until all have read. */
      const sendAll = async (cookie: string, work: (session: Session, at: number) => unknown) => {
        let waiting = AT_ONCE;
        let go = () => {};
        const all = new Promise<void>((resolve) => go = resolve);
        return await Promise.all(
          Array.from({ length: AT_ONCE }, (_, at) =>
            send(cookie, async (session) => {
              if (--waiting === 0) go();
              await all;
              return work(session, at);
            }, at).catch((error) => error as SessionError)),
        );
      };
      const begin = async (work: Work) => (await send("", work)).cookie!.split(";")[0]!;

      try {
        await lifetimes();
        await messages();
        await pulls();
      } finally {
        for (const { close } of opened) await close();
      }

      async function lifetimes() {
        const cookie = await begin((session) => {
          session.set("n", 0).subject = "ada";
          session.lifetime = REMEMBERED;
        });
        const kept = await place.kept?.();
        // The session, and the list of its user's sessions, which lives for longer.
        if (kept !== undefined) {
          const [session, list] = kept.sort((a, b) => a - b) as [number, number];
          assert(session > 30 * DAY && session < 30 * DAY + 7400, `${session}`);
          assert(list > 60 * DAY && list < 61 * DAY, `${list}`);
        }
        const before = Math.floor(Date.now() / 1000);
        const replies = await sendAll(cookie, (session, at) => {
          session.update("n", (n) => Number(n) + 1);
          if (at % 2 === 0) session.lifetime = { idle: DAY + at };
        });
        const lifetime = (await send(cookie, (session) => session.lifetime))
          .value as SessionLifetime;
        const set = Array.from({ length: AT_ONCE }, (_, at) => DAY + at).filter((_, at) =>
          at % 2 === 0
        );
        assert(set.includes(lifetime.idle!), JSON.stringify(lifetime));
        for (const [at, reply] of replies.entries()) {
          const { cookie = "" } = reply as { cookie?: string };
          const age = Number(/Max-Age=(\d+)/.exec(cookie)?.[1]);
          // A request that only counts does not send the cookie again.
          assertEquals(
            at % 2 === 0 ? set.includes(age) : Number.isNaN(age),
            true,
            `${at} ${cookie}`,
          );
        }
        assertEquals((await send(cookie, (session) => session.get("n"), 1)).value, AT_ONCE);
        const [listed] = await servers[1]!.list("ada");
        const left = listed!.expiresAt - before;
        assert(left >= lifetime.idle! && left < lifetime.idle! + 60, `${left}`);
        assertEquals(await servers[1]!.destroyAll("ada"), 1);
      }

      async function messages() {
        const cookie = await begin((session) => session.flash("info", "first"));
        await sendAll(cookie, (session, at) => void session.flash("info", `é { ${at}`));
        const take: Work = (session) => session.takeFlash("info");
        const shown = (await send(cookie, take, 1)).value as string[];
        const expected = Array.from({ length: AT_ONCE }, (_, at) => `é { ${at}`);
        assertEquals(shown[0], "first");
        assertEquals(shown.slice(1).sort(), expected.sort());
        assertEquals((await send(cookie, take)).value, []);
      }

      async function pulls() {
        const cookie = await begin((session) => session.set("token", "a"));
        const replies = await sendAll(cookie, (session) => session.pull("token"));
        const failed = replies.filter((one) => one instanceof SessionError);
        assertEquals(
          failed.map(({ code }) => code),
          Array(AT_ONCE - 1).fill("ERR_SESSION_CONFLICT"),
        );
        assertEquals((await send(cookie, (session) => session.exists("token"))).value, false);
      }
    },
  );
}
