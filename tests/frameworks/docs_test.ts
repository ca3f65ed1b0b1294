/** Checks that the documentation shows the tested files verbatim. */
import { assert, assertEquals } from "@std/assert";
import { EXAMPLES, Running } from "./_apps.ts";
import { Visitor } from "./_visitor.ts";

const shown = [
  "recipes/hono_app.ts",
  "recipes/express_app.ts",
  "recipes/elysia_app.ts",
  "recipes/fastify.ts",
  "recipes/react_router.ts",
  "apps/sveltekit/src/hooks.server.ts",
];

Deno.test("docs/frameworks.md", async (t) => {
  const docs = await Deno.readTextFile(new URL("../../docs/frameworks.md", import.meta.url));
  for (const file of shown) {
    await t.step(file, async () => {
      const text = await Deno.readTextFile(new URL(file, import.meta.url));
      assert(docs.includes(`\`\`\`ts ignore\n${text}\`\`\``), `it does not show ${file}`);
    });
  }
});

Deno.test("its examples", async (t) => {
  for (const { page, says, ...app } of EXAMPLES) {
    await t.step(app.name, async () => {
      await using running = await Running.start(app);
      const visitor = new Visitor(running.url);
      for (const visit of [1, 2, 3]) assertEquals((await visitor.get(page)).text, says(visit));
    });
  }
});
