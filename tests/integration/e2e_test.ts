import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { BACKENDS } from "./_backends.ts";
import { demandBalanced, format } from "./_books.ts";
import { Browsers, visitOrigins } from "./_browsers.ts";
import { ServerProcess } from "./_e2e_process.ts";
import { serverTest } from "./_servers.ts";

const SESSIONS = 50;
const REQUESTS = 10_000;
const AT_ONCE = 64;

for (const { name, missing, start } of BACKENDS) {
  const title = `${name}: two server processes, ${REQUESTS} concurrent requests over ${SESSIONS} ` +
    "sessions, 0 lost, 0 resurrected";
  serverTest(missing, title, async () => {
    await using place = await start();
    await using one = await ServerProcess.start(name, place.where);
    await using other = await ServerProcess.start(name, place.where);
    const visit = visitOrigins([one.origin, other.origin]);
    const browsers = new Browsers(SESSIONS);
    let left = REQUESTS;
    await browsers.load(visit, AT_ONCE, () => left-- <= 0);
    const balance = await browsers.close(visit);
    console.log(`${name}: ${format(balance)}`);
    demandBalanced(balance);
    assertEquals([balance.unanswered, balance.unavailable], [0, 0]);
    assertLess(balance.busy, REQUESTS / 1000);
    assertGreater(balance.counted, REQUESTS / 3);
    assertGreater(balance.signedIn, 0);
    assertGreater(balance.signedOut, 0);
    await place.audit?.();
  });
}
