/**
 * Checks every app and recipe against the types of its framework, without a cast for the session.
 */
import { assert } from "@std/assert";
import { NODE } from "./_apps.ts";

const DENO = Deno.execPath();

async function check(...args: string[]): Promise<void> {
  const options = { args, cwd: import.meta.dirname!, env: { NO_COLOR: "1" } };
  const { success, stderr } = await new Deno.Command(DENO, options).output();
  assert(success, new TextDecoder().decode(stderr));
}

Deno.test("types", async (t) => {
  await t.step("the apps and the recipes have the types that their frameworks need", async () => {
    const recipes = [...Deno.readDirSync(`${import.meta.dirname}/recipes`)]
      // Fresh is on JSR only. Nuxt's page declares a type that h3's declares, too.
      .filter(({ name }) => name !== "fresh" && name !== "nuxt")
      .map(({ name, isDirectory }) => isDirectory ? `recipes/${name}/**/*.ts` : `recipes/${name}`);
    for (const files of [["apps/*.ts"], recipes, ["recipes/nuxt/**/*.ts"]]) {
      await check("check", "--config", "deno.json", ...files);
    }
  });
  const projects = { "react-router": ".", sveltekit: "types.json", "tanstack-start": "." };
  for (const [app, project] of Object.entries(projects)) {
    await t.step(`the shop in ${app} has the types that its framework makes for it`, async () => {
      const cwd = `${import.meta.dirname}/apps/${app}`;
      const [node, ...args] = [...NODE, "node_modules/typescript/bin/tsc", "--project", project];
      const { success, stdout } = await new Deno.Command(node!, { args, cwd }).output();
      assert(success, new TextDecoder().decode(stdout));
    });
  }
  await t.step("Nest's, whose decorators the others do without", async () => {
    await check("check", "--config", "nest.json", "recipes/nest/*.mts");
  });
});
