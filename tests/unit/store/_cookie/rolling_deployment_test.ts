import { assertEquals } from "@std/assert";
import { SessionMiddleware } from "../../../../middleware.ts";
import { CookieStore } from "../../../../store/cookie.ts";
import { MemoryStore } from "../../../../store/memory.ts";
import { SealedStore } from "../../../../store/sealed.ts";
import type { SessionStore } from "../../../../store/store.ts";
import { fakeClock, requestWith } from "../../../_kit/helpers.ts";

const OLD = "the old secret, longer than 32 characters";
const NEW = "the new secret, longer than 32 characters";
/** The steps that the option's documentation lists. Each is deployed to one server after the other. */
const STEPS = [[OLD], [OLD, NEW], [NEW, OLD], [NEW]];

/** Two servers behind a load balancer, and a user who is sent to one or the other. */
function start(open: (secret: string[]) => SessionStore) {
  const clock = fakeClock();
  const serve = (secret: string[]) => {
    const options = { secret: "the middleware's secret, which stays", now: clock.now };
    return new SessionMiddleware({ ...options, store: open(secret) }).handler(
      (_request, session) => {
        session.update("visits", (n) => Number(n ?? 0) + 1);
        return new Response(String(session.get("visits")));
      },
    );
  };
  const servers = [serve([OLD]), serve([OLD])];
  let cookie = "";
  let visits = 0;
  /** Visits each server twice, in an order in which each reads what the other wrote. */
  const visit = async () => {
    const seen: string[] = [];
    for (const at of [0, 1, 0, 1]) {
      const response = await servers[at]!(requestWith(cookie === "" ? {} : { cookie }));
      cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie;
      seen.push(await response.text());
    }
    const expected = seen.map(() => String(++visits));
    return { seen, expected };
  };
  const deploy = (at: number, secret: string[]) => void (servers[at] = serve(secret));
  return { clock, deploy, visit };
}

const memory = () => new MemoryStore();
const STORES: [name: string, open: () => (secret: string[]) => SessionStore][] = [
  ["CookieStore", () => (secret) => new CookieStore({ secret })],
  ["SealedStore", () => {
    const shared = memory();
    return (secret) => new SealedStore(shared, { secret });
  }],
];

for (const [name, open] of STORES) {
  Deno.test(`${name} signs nobody out when its secrets are rotated as documented`, async () => {
    const { deploy, visit } = start(open());
    for (const step of STEPS) {
      for (const server of [0, 1]) {
        deploy(server, step);
        const { seen, expected } = await visit();
        assertEquals(seen, expected, `server ${server} has ${step}`);
      }
    }
  });

  Deno.test(`${name} signs users out when the new secret comes first before all have it`, async () => {
    const { deploy, visit } = start(open());
    await visit();
    deploy(0, [NEW, OLD]);
    const { seen, expected } = await visit();
    assertEquals(seen[0], expected[0]);
    assertEquals(seen[1], "1");
  });
}
