/** Remix's session middleware with its router, set up as in their READMEs. */
import { createCookie } from "@remix-run/cookie";
import { createRouter } from "@remix-run/fetch-router";
import { Session } from "@remix-run/session";
import { createMemorySessionStorage } from "@remix-run/session/memory-storage";
import { session } from "@remix-run/session-middleware";
import { actions, ACTS, methods } from "../scenarios.ts";
import { appsOf, BARE_TEXT, type Contender, SECRET } from "./contender.ts";

export const remix: Contender = {
  name: "@remix-run/session-middleware",
  framework: "remix",
  // Its sessions in the cookie are signed, not encrypted, so they are not comparable.
  stores: ["memory"],
  open({ data }) {
    const cookie = createCookie("__session", {
      secrets: [SECRET],
      httpOnly: true,
      secure: true,
      sameSite: "Lax",
    });
    const middleware = [session(cookie, createMemorySessionStorage())];
    const does = actions(methods, data);
    const apps = appsOf(ACTS, (act) => {
      const router = createRouter({ middleware });
      router.get("/", (context) => {
        const session = context.get(Session);
        if (act === "regenerate") session.regenerateId(true);
        return new Response(does[act](session));
      });
      return (request) => router.fetch(request);
    });
    const bare = createRouter();
    bare.get("/", () => new Response(BARE_TEXT));
    return { apps, bare: { fetch: (request) => bare.fetch(request) } };
  },
};
