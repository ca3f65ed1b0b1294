import { assertGreater } from "@std/assert";
import { BACKENDS } from "./_backends.ts";
import { demandBalanced, format } from "./_books.ts";
import { Browsers, type Visit, visitOrigins } from "./_browsers.ts";
import { ServerProcess } from "./_e2e_process.ts";
import { delay } from "./_processes.ts";
import { serverTest } from "./_servers.ts";

const SESSIONS = 12;
const AT_ONCE = 16;
/** How long a server lives under load, in milliseconds. */
const LIFETIME = { shortest: 5, longest: 120 };

for (const { name, missing, start, kills } of BACKENDS) {
  const title = `${name}: kill -9 of a server process under load, ${kills} times; what it had ` +
    "acknowledged is there";
  serverTest(missing, title, async () => {
    await using place = await start();
    const browsers = new Browsers(SESSIONS);
    let next = ServerProcess.start(name, place.where);
    for (let run = 0; run < kills; run++) {
      const server = await next;
      // The next one starts in the meantime.
      next = ServerProcess.start(name, place.where);
      let isDead = false;
      const isWarm = Promise.withResolvers<void>();
      const visitServer = visitOrigins([server.origin]);
      const visit: Visit = async (path, cookie) => {
        try {
          return await visitServer(path, cookie);
        } finally {
          isWarm.resolve();
        }
      };
      const load = browsers.load(visit, AT_ONCE, () => isDead);
      // On a slow machine, the first response may take longer than the lifetime.
      if (run % 4 > 0) await isWarm.promise;
      const { shortest, longest } = LIFETIME;
      await delay(shortest + Math.random() * (longest - shortest));
      await server.kill();
      isDead = true;
      await load;
      await browsers.recover(visitOrigins([(await next).origin]));
    }
    await using last = await next;
    const balance = await browsers.close(visitOrigins([last.origin]));
    console.log(`${name}, ${kills} kills: ${format(balance)}`);
    demandBalanced(balance);
    assertGreater(balance.counted, 0);
    await place.audit?.();
  });
}
