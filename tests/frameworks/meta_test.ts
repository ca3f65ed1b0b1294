/** The shop of each meta-framework: built, started and driven over HTTP. */
import { META_APPS, Running } from "./_apps.ts";
import { META_CASES } from "./_meta_cases.ts";

for (const app of META_APPS) {
  Deno.test(`the shop in ${app.name}`, async (t) => {
    await using running = await Running.start(app);
    for (const [name, run] of Object.entries(META_CASES)) {
      const why = app.skips?.[name];
      await t.step({
        name: why === undefined ? name : `${name} (not here: ${why})`,
        ignore: why !== undefined,
        fn: () => run(running.url),
      });
    }
  });
}
