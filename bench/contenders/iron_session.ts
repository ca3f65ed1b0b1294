/** iron-session behind a fetch handler, set up as in its README. */
import { getIronSession, webCookies } from "iron-session";
import { actions, ACTS_WITHOUT_ID, isWriting, plain, type SessionContent } from "../scenarios.ts";
import { appsOf, BARE_TEXT, type Contender, SECRET } from "./contender.ts";

export const ironSession: Contender = {
  name: "iron-session",
  framework: "fetch",
  stores: ["cookie"],
  open({ data }) {
    const options = { cookieName: "session", password: SECRET };
    const does = actions(plain, data);
    const apps = appsOf(ACTS_WITHOUT_ID, (act) => async (request) => {
      const headers = new Headers();
      const jar = webCookies(request, headers);
      const session = await getIronSession<Partial<SessionContent>>(jar, options);
      const text = does[act](session);
      if (isWriting(act)) await session.save();
      return new Response(text, { headers });
    });
    return { apps, bare: { fetch: () => new Response(BARE_TEXT) } };
  },
};
