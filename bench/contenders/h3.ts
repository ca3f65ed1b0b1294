/** h3's own sessions in encrypted cookies, set up as in its documentation. */
import { getSession, H3, useSession } from "h3";
import { actions, ACTS_WITHOUT_ID, isWriting, plain, type SessionContent } from "../scenarios.ts";
import { appsOf, BARE_TEXT, type Contender, SECRET } from "./contender.ts";

export const h3: Contender = {
  name: "h3",
  framework: "h3",
  stores: ["cookie"],
  open({ data }) {
    const config = { password: SECRET, maxAge: 3600 };
    const does = actions(plain, data);
    const apps = appsOf(ACTS_WITHOUT_ID, (act) => {
      const app = new H3();
      app.get("/", async (event) => {
        if (!isWriting(act)) {
          return does[act]((await getSession<Partial<SessionContent>>(event, config)).data);
        }
        const session = await useSession<Partial<SessionContent>>(event, config);
        const values = { ...session.data };
        const text = does[act](values);
        await session.update(values);
        return text;
      });
      return (request) => app.fetch(request);
    });
    const bare = new H3();
    bare.get("/", () => BARE_TEXT);
    return { apps, bare: { fetch: (request) => bare.fetch(request) } };
  },
};
