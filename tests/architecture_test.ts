/**
 * Enforces the import rules of docs/explanation/architecture.md, and tests that each rule can fail.
 * It has to read the sources, so it is not one of the unit tests, which get no permissions.
 * `deno task ok` has a step for it:
 *
 *     deno test --config=.ci/architecture.json --allow-read=. tests/architecture_test.ts
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type Fact, importsOf, type Project, violations } from "../.ci/architecture.ts";
import config from "../deno.json" with { type: "json" };

const SKIPPED = /^(node_modules|coverage|\.(git|next|nitro|nuxt|output|svelte-kit))$/;

function readSources(folder = ".", files = new Map<string, string>()): Map<string, string> {
  const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory } of entries) {
    const path = folder === "." ? name : `${folder}/${name}`;
    if (isDirectory && !SKIPPED.test(name)) readSources(path, files);
    if (!isDirectory && name.endsWith(".ts")) files.set(path, Deno.readTextFileSync(path));
  }
  return files;
}

Deno.test("this repository keeps the import rules", () => {
  const { exports, publish: { include } } = config;
  const found = violations({ files: readSources(), exports, include });
  if (found.length > 0) throw new Error(`${found.length} violations:\n\n${found.join("\n")}\n`);
});

const INCLUDE = ["*.ts", "adapters/**/*.ts", "base/**/*.ts", "core/**/*.ts", "data/**/*.ts"]
  .concat(["migrate/**/*.ts", "state/**/*.ts", "store/**/*.ts", "testing/**/*.ts"]);

/** The violations of a tree of sources, in which files without imports need not be listed. */
function check(
  files: Record<string, string>,
  { facts = [], ...rest }: Partial<Project> & { facts?: readonly Fact[] } = {},
): string[] {
  const all = new Map(Object.entries(files));
  for (const { to } of importsOf(all)) if (to.endsWith(".ts") && !all.has(to)) all.set(to, "");
  return violations({ exports: {}, include: INCLUDE, ...rest, files: all }, facts);
}

/** Tests that the sources break one rule, and that its message is this one. */
function assertBroken(files: Record<string, string>, message: string): void {
  assertEquals(check(files), [message]);
}

Deno.test("violations() is empty for a tree that keeps every rule", () => {
  assertEquals(
    check({
      "mod.ts": `export * from "./middleware.ts"; export { Session } from "./session.ts";`,
      "middleware.ts":
        `import { MemoryStore } from "./store/memory.ts"; import "./core/lifecycle.ts";`,
      "core/lifecycle.ts": `import type { Store } from "../store/store.ts"; import "./_a/b.ts";`,
      "core/_a/b.ts": `import "../_c.ts"; import { Session } from "../../session.ts";`,
      "session.ts": `import "./data/working_copy.ts"; import "./errors.ts";`,
      "store/memory.ts": `import "./_memory/map.ts"; import "../base/hex.ts";`,
      "errors.ts": `import type { HeaderPair } from "./pagi.ts";`,
      "migrate/legacy_cookie.ts": `import "../state/_set_cookie.ts";`,
      "adapters/hono.ts": `import "./_node/holder.ts"; import "../middleware.ts";`,
      "tests/unit/map_test.ts": `import "../../store/_memory/map.ts"; import "npm:other";`,
    }),
    [],
  );
});

Deno.test("violations() reports an import of a higher layer", () => {
  assertBroken(
    { "base/text.ts": `import { x } from "../core/id.ts";` },
    "base/text.ts:1 imports core/id.ts: core is a layer above base. " +
      "Move what both need to base/, or pass it in.",
  );
});

Deno.test("violations() reports every form of import", () => {
  for (
    const source of [
      `import "../core/id.ts";`,
      `import id from "../core/id.ts"`,
      `import * as id from "../core/id.ts"`,
      `import type { Id } from "../core/id.ts"`,
      `import { from, type Id as from2 } from '../core/id.ts'`,
      `import json from "../core/id.ts" with { type: "json" };`,
      `export * from "../core/id.ts"`,
      `export * as id from "../core/id.ts"`,
      `export type * from "../core/id.ts"`,
      `export { id } from "../core/id.ts"`,
      `export type { Id } from "../core/id.ts"`,
      `const id = await import("../core/id.ts");`,
      `let id: import("../core/id.ts").Id;`,
      `let id: typeof import("../core/id.ts", { with: {} });`,
      "const text = `${(await import('../core/id.ts')).id}`;",
      `const a = b / c; import("../core/id.ts"); d / e;`,
    ]
  ) {
    assertEquals(check({ "base/text.ts": source }).length, 1, source);
  }
});

Deno.test("violations() ignores imports in comments, strings and regular expressions", () => {
  for (
    const source of [
      `// import "../core/id.ts";`,
      `/** \`\`\`ts\n * import "../core/id.ts";\n * \`\`\` */`,
      `const text = 'import "../core/id.ts";';`,
      "const text = `import '../core/id.ts'; ${x}`;",
      `const pattern = /import "..\\/core\\/id.ts"['"]/;`,
      `const url = new URL("../core/id.ts", import.meta.url);`,
      `loader.import("../core/id.ts");`,
      `export { id }; const from = "../core/id.ts";`,
      `export type Id = string; const from = "../core/id.ts";`,
      `// what it's for\nconst a = 1; /* don't */ const b = 2;`,
    ]
  ) {
    assertEquals(check({ "base/text.ts": source }), [], source);
  }
});

Deno.test("violations() names the line of an import", () => {
  const [message] = check({ "base/a.ts": `/*\n*/\nimport\n{ x } from "../core/id.ts";` });
  assertEquals(message?.split(" ")[0], "base/a.ts:3");
});

Deno.test("violations() reports an import between two members of one layer", () => {
  const advice = "Move what both need to base/, or pass it in.";
  assertBroken(
    { "store/cookie.ts": `import "../state/cookie.ts";` },
    "store/cookie.ts:1 imports state/cookie.ts: " +
      `store and state are one layer and do not import each other. ${advice}`,
  );
  assertBroken(
    { "state/cookie.ts": `import "../data/merge.ts";` },
    "state/cookie.ts:1 imports data/merge.ts: " +
      `state and data are one layer and do not import each other. ${advice}`,
  );
  assertBroken(
    { "pagi.ts": `import "./errors.ts";` },
    "pagi.ts:1 imports errors.ts: " +
      `pagi.ts and errors.ts are one layer and do not import each other. ${advice}`,
  );
});

Deno.test("violations() reports a store or a State that imports the rules", () => {
  const layer = "core is a layer above";
  assertEquals(
    check({
      "store/memory.ts": `import "../core/id.ts";`,
      "state/cookie.ts": `import type { Id } from "../core/id.ts";`,
    }).map((message) => message.includes(layer)),
    [true, true],
  );
});

Deno.test("violations() reports an implementation that core/ imports", () => {
  assertBroken(
    { "core/options.ts": `import { MemoryStore } from "../store/memory.ts";` },
    "core/options.ts:1 imports store/memory.ts: core/ imports only the contract store/store.ts of " +
      "store/. Move what it needs to base/ or into store/store.ts, or pass it in from middleware.ts.",
  );
});

Deno.test("violations() reports a private file that is imported from outside its folder", () => {
  assertBroken(
    { "middleware.ts": `import { idOf } from "./core/_id_of.ts";` },
    "middleware.ts:1 imports core/_id_of.ts: private files of core/ are for core/ only. " +
      "Move the file to base/ or into the importer's folder, or drop its underscore.",
  );
  // The folder that contains `_client/` is redis/.
  assertBroken(
    { "store/redis.ts": `import "./redis/_client/answers.ts";` },
    "store/redis.ts:1 imports store/redis/_client/answers.ts: private files of store/redis/ are for " +
      "store/redis/ only. Move the file to base/ or into the importer's folder, or drop its underscore.",
  );
  assertBroken(
    { "bench/ids.ts": `import "../core/_id_of.ts";` },
    "bench/ids.ts:1 imports core/_id_of.ts: private files of core/ are for core/ only. " +
      "Import a public file in its place.",
  );
});

Deno.test("violations() reports a private file at the root", () => {
  assertBroken(
    { "_codec.ts": "" },
    "_codec.ts is a private file at the root. Move it into the folder that uses it.",
  );
});

Deno.test("violations() reports an import from outside the package", () => {
  const advice = "the package imports only its own files. " +
    "Take it as a parameter with a structural type, or write what you need of it.";
  for (
    const specifier of [
      "npm:redis",
      "jsr:@std/hex",
      "@std/assert",
      "node:crypto",
      "https://x.y/z.ts",
    ]
  ) {
    assertBroken(
      { "store/redis.ts": `import "${specifier}";` },
      `store/redis.ts:1 imports ${specifier}: ${advice}`,
    );
  }
  assertBroken(
    { "store/redis.ts": `import "../tests/_helpers.ts";` },
    `store/redis.ts:1 imports tests/_helpers.ts: ${advice}`,
  );
  assertBroken(
    { "store/redis.ts": "await import(name);" },
    "store/redis.ts:1 imports (computed): the package imports by literal names only. " +
      "Write the file's name out.",
  );
});

Deno.test("violations() reports a shortest import cycle and how many other files belong to it", () => {
  assertBroken(
    {
      "core/a.ts": `import type { B } from "./b.ts";`,
      "core/b.ts": `export * from "./c.ts"; import "./d.ts";`,
      "core/c.ts": `import("./a.ts"); import "./e.ts";`,
      "core/d.ts": `import "./b.ts";`,
    },
    "core/a.ts → core/b.ts → core/c.ts → core/a.ts: import cycle " +
      "(other files in cycles with these: 1). Move what they share to a file of its own below them.",
  );
});

Deno.test("violations() reports cycles outside the package, and of one file", () => {
  assertBroken(
    { "tests/_rig.ts": `import { x } from "./_rig.ts";` },
    "tests/_rig.ts → tests/_rig.ts: import cycle. " +
      "Move what they share to a file of its own below them.",
  );
});

Deno.test("violations() reports a folder that publish.include leaves out", () => {
  assertEquals(check({ "base/hex.ts": "" }, { include: ["*.ts", "core/**/*.ts"] }), [
    'base/hex.ts is not published. Add "base/**/*.ts" to publish.include in deno.json.',
  ]);
  assertEquals(check({ "mod.ts": "" }, { include: ["base/*.ts"] }), [
    'mod.ts is not published. Add "*.ts" to publish.include in deno.json.',
  ]);
});

Deno.test("violations() reports a published file in no layer", () => {
  const advice = "to LAYERS in .ci/architecture.ts and to docs/explanation/architecture.md.";
  assertEquals(check({ "tools/a.ts": "" }, { include: ["*.ts", "tools/**/*.ts"] }), [
    `tools/a.ts is in no layer. Move it into a folder of the package, or add "tools" ${advice}`,
  ]);
  assertBroken(
    { "helpers.ts": "" },
    `helpers.ts is in no layer. Move it into a folder of the package, or add "helpers.ts" ${advice}`,
  );
});

Deno.test("violations() reports an export of a file that does not exist", () => {
  assertEquals(check({ "mod.ts": "" }, { exports: { ".": "./mod.ts", "./a": "./core/a.ts" } }), [
    'deno.json exports ./core/a.ts as "./a", which does not exist. Correct the path.',
  ]);
});

Deno.test("violations() reports a fact that is defined outside its file", () => {
  const facts = [{ fact: "the limit", pattern: /\b4_?096\b/, file: "base/limits.ts" }];
  const home = { "base/limits.ts": "export const LIMIT = 4096;" };
  assertEquals(check({ ...home, "state/a.ts": "// 4096\n/** 4096 */" }, { facts }), []);
  assertEquals(check({ ...home, "state/a.ts": "//\nconst MAX = 4_096;" }, { facts }), [
    "state/a.ts:2 defines the limit, which belongs in base/limits.ts. Import it from there.",
  ]);
  assertEquals(check({ "base/limits.ts": "// 4096" }, { facts }), [
    "base/limits.ts does not define the limit. " +
    "Define it there, or correct FACTS in .ci/architecture.ts.",
  ]);
});
