/** Checks the files of the package. */
import config from "../../deno.json" with { type: "json" };
import { NODE, type Project, SPECIFIERS } from "./_project.ts";
import { must } from "./_run.ts";
import { type Cases, same } from "./suite/_kit.ts";

const PACKAGE = "node_modules/@pagi/session";

/**
 * The maximum weight of the middleware with its defaults, CookieState and MemoryStore: minified and
 * compressed with gzip, in bytes. A commit that adds a feature may raise it and says why. A
 * refactoring may not.
 */
const MAX_WEIGHT = 44_000;

/** All strict options, including two that `strict` leaves out. */
const STRICT = [
  "--noEmit",
  "--strict",
  "--exactOptionalPropertyTypes",
  "--noUncheckedIndexedAccess",
  "--allowImportingTsExtensions",
  "--target",
  "esnext",
];
/** The ways to resolve modules. */
const RESOLUTIONS = [
  ["--module", "nodenext", "--moduleResolution", "nodenext"],
  ["--module", "esnext", "--moduleResolution", "bundler"],
];
/** The sources from which a consumer may get `Request` and `Response`. */
const GLOBALS = {
  "TypeScript's own": ["--lib", "esnext,dom,dom.iterable", "--typeRoots", "none"],
  "those of @types/node": ["--lib", "esnext", "--types", "node"],
  "those of workers-types": ["--lib", "esnext", "--types", "@cloudflare/workers-types"],
};

/** Returns the cases for the package that a project has installed. */
export function packageCases(project: Project): Cases {
  return {
    "npm installs the package alone"() {
      same(project.installed, ["@pagi"]);
    },

    async "package.json exports what deno.json does"() {
      const text = await Deno.readTextFile(project.path(`${PACKAGE}/package.json`));
      same(Object.keys(JSON.parse(text).exports), Object.keys(config.exports));
    },

    async "no file imports anything but the package's own files"() {
      // For a neutral platform, esbuild fails on every import that the package does not contain.
      const options = ["--bundle", "--platform=neutral", "--format=esm", "--outdir=bundled"];
      const modules = [...files(project.path(PACKAGE), ".js")];
      const esbuild = project.path("node_modules/.bin/esbuild");
      const command = [esbuild, ...modules, ...options, "--metafile=meta.json"];
      await must([...command, "--log-level=error"], { cwd: project.folder });
      const meta = JSON.parse(await Deno.readTextFile(project.path("meta.json")));
      same(Object.keys(meta.inputs).length, modules.length, "the number of files");
      same(Object.keys(meta.inputs).filter((path) => !path.startsWith(PACKAGE)), []);
      // esbuild leaves an import inside `try` unresolved instead of failing.
      const inputs: { imports: { external?: boolean }[] }[] = Object.values(meta.inputs);
      same(inputs.flatMap(({ imports }) => imports).filter(({ external }) => external), []);
    },

    async [`the middleware with its defaults weighs at most ${MAX_WEIGHT} bytes`]() {
      // The source and not the installed package, because the limit is about the source.
      const options = ["--bundle", "--minify", "--platform=neutral", "--format=esm"];
      const source = new URL("../../middleware.ts", import.meta.url).pathname;
      const esbuild = ["node_modules/.bin/esbuild", source, ...options, "--outfile=weight.js"];
      await must([...esbuild, "--log-level=error"], { cwd: project.folder });
      // Node's zlib, because Deno's compresses a little less.
      const gzip = "zlib.gzipSync(fs.readFileSync('weight.js'), { level: 9 }).length";
      const weight = Number(await must([NODE, "--print", gzip], { cwd: project.folder }));
      console.log(`weight of the middleware with its defaults: ${weight} bytes`);
      if (!(weight <= MAX_WEIGHT)) throw new Error(`it weighs ${weight} bytes`);
    },

    async "every subpath has a module comment"() {
      for (const path of Object.values(config.exports)) {
        const text = await Deno.readTextFile(new URL(`../../${path}`, import.meta.url));
        same(/^\/\*\*\n(?: \*.*\n)+? \* @module\n \*\/\n/.test(text), true, `the head of ${path}`);
      }
    },

    async "every tag of a doc comment starts a line, so that the docs do not show it as text"() {
      for (const path of files(project.path(PACKAGE), ".d.ts")) {
        const text = await Deno.readTextFile(path);
        same(/[^\s*] @(default|throws|param|returns|example)\b.*/.exec(text)?.[0], undefined, path);
      }
    },

    ...typeCases(project),
  };
}

function* files(folder: string, ending: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* files(`${folder}/${name}`, ending);
    else if (name.endsWith(ending)) yield `${folder}/${name}`;
  }
}

/** Checks the consumer and the suite against the package's declarations, without `skipLibCheck`. */
function typeCases(project: Project): Cases {
  const imports = SPECIFIERS.map((specifier) => `import ${JSON.stringify(specifier)};`);
  Deno.writeTextFileSync(project.path("every.ts"), imports.join("\n"));
  const check = async (compiler: string, globals: string[]) => {
    const tsc = [NODE, `node_modules/${compiler}/bin/tsc`, ...STRICT, ...globals];
    const files = ["every.ts", "consumer.ts", "main.ts", "worker.ts"];
    for (const modules of RESOLUTIONS) {
      await must([...tsc, ...modules, ...files], { cwd: project.folder });
    }
  };
  const cases: Cases = {};
  for (const [name, globals] of Object.entries(GLOBALS)) {
    cases[`the declarations hold in TypeScript 7 with ${name}`] = () =>
      check("typescript", globals);
  }
  cases["the declarations hold in TypeScript 5"] = () =>
    check("typescript-5", GLOBALS["those of @types/node"]);
  return cases;
}
