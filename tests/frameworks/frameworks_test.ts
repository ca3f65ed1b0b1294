import { APPS, Running } from "./_apps.ts";
import { CASES } from "./_cases.ts";

/** The cases that need a failing store. */
const NEEDS_FAILING_STORE = /^a store|^an error response|that fails in the store$/;

for (const app of APPS) {
  Deno.test(app.name, async (t) => {
    await using running = await Running.start(app);
    for (const [name, run] of Object.entries(CASES)) {
      const inMemory = app.env?.STORE === "memory" && NEEDS_FAILING_STORE.test(name);
      const why = app.skips?.[name] ?? (inMemory ? "its store does not fail" : undefined);
      await t.step({
        name: why === undefined ? name : `${name} (not here: ${why})`,
        ignore: why !== undefined,
        fn: () => run(running.url),
      });
    }
  });
}
