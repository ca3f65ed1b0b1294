/**
 * Checks every app and recipe against the types of its framework, without a cast for the session.
 */
import { assert } from "@std/assert";

const DENO = Deno.execPath();

async function check(...args: string[]): Promise<void> {
  const options = { args, cwd: import.meta.dirname!, env: { NO_COLOR: "1" } };
  const { success, stderr } = await new Deno.Command(DENO, options).output();
  assert(success, new TextDecoder().decode(stderr));
}

Deno.test("types", async (t) => {
  await t.step("the apps and the recipes have the types that their frameworks need", async () => {
    await check("check", "--config", "deno.json", "apps/*.ts", "recipes/**/*.ts");
  });
  await t.step("Nest's, whose decorators the others do without", async () => {
    await check("check", "--config", "nest.json", "recipes/nest/*.mts");
  });
});
