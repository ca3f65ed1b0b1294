import { APPS, Running } from "./_apps.ts";
import { CASES } from "./_cases.ts";

/** Those that need a store which fails. */
const WITH_TROUBLE = /^a store|that the store fails$/;

for (const app of APPS) {
  Deno.test(app.name, async (t) => {
    await using running = await Running.start(app);
    for (const [name, run] of Object.entries(CASES)) {
      const inMemory = app.env?.STORE === "memory" && WITH_TROUBLE.test(name);
      const why = app.skips?.[name] ?? (inMemory ? "its store does not fail" : undefined);
      await t.step({
        name: why === undefined ? name : `${name} (not here: ${why})`,
        ignore: why !== undefined,
        fn: () => run(running.url),
      });
    }
  });
}
