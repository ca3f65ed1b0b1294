/** Tests of apps, and the tokens that protect their forms. */
import { MemoryStore, SessionMiddleware } from "@pagi/session";
import { testClock, visitor } from "@pagi/session/testing";
import { type Cases, type Data, same, SECRET } from "./_kit.ts";

function setUp() {
  const { now, advance } = testClock();
  const options = { secret: SECRET, store: new MemoryStore({ now }), now, onEvent: () => {} };
  return { sessions: new SessionMiddleware<Data>(options), advance };
}

export const testing: Cases = {
  async "a visitor keeps its session until it expires"() {
    const { sessions, advance } = setUp();
    const ada = await visitor(sessions, { subject: "ada", data: { n: 1 } });
    const count = sessions.handler((_request, session) => {
      session.update("n", (n = 0) => n + 1);
      return new Response(null, { status: 303, headers: { location: "/" } });
    });
    same((await ada.fetch(count, "/", { method: "POST", body: "x" })).status, 303);
    same((await ada.session())?.get("n"), 2, "the visits");
    advance(3700);
    same((await ada.session())?.subject, undefined, "the subject");
  },

  async "a form needs the CSRF token of its session"() {
    const { sessions } = setUp();
    const app = sessions.handler(async (request, session) => {
      await sessions.verifyCsrf(request, session);
      if (request.method === "GET") return new Response(session.csrfToken());
      return new Response(String((await request.formData()).get("name")));
    });
    const [ada, eve] = [await visitor(sessions), await visitor(sessions)];
    const post = async (_csrf: string, from?: string) => {
      const body = new URLSearchParams({ _csrf, name: "tea" });
      const response = await ada.fetch(app, "/", { method: "POST", body, ...from && { from } });
      return response.status === 200 ? await response.text() : response.status;
    };
    const token = await (await ada.fetch(app)).text();
    same(await post(token), "tea", "the field");
    same(await post(token, "https://evil.example/"), 403, "the status for another site");
    same(await post(await (await eve.fetch(app)).text()), 403, "the status for another's token");
  },
};
