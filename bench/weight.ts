/** Weighs libraries: their size in a bundle, and the processor time of a cold import. */
import type { ImportOptions } from "./cold_import.ts";
import { OURS } from "./contenders/contender.ts";
import { shuffled } from "./measure.ts";
import { run, type Runtime } from "./runtimes.ts";

const FOLDER = new URL(".", import.meta.url).pathname;
const ROOT = new URL("..", import.meta.url).pathname;
const ESBUILD = `${FOLDER}node_modules/.bin/esbuild`;
const NODE = `${FOLDER}node_modules/.bin/node`;
const GZIP = "zlib.gzipSync(fs.readFileSync(0), { level: 9 }).length";

/** The middleware, with sessions in memory or in encrypted cookies. */
export const WITH_COOKIE_STORE = "with CookieStore";

/** What an app with sessions imports: of this library the middleware, CookieState and MemoryStore. */
const IMPORTS: { [bundle: string]: string } = {
  [OURS]: `export * from "${ROOT}middleware.ts"`,
  [WITH_COOKIE_STORE]:
    `export * from "${ROOT}middleware.ts"; export { CookieStore } from "${ROOT}store/cookie.ts"`,
  "express-session": `export { default } from "express-session"`,
  "iron-session": `export { getIronSession } from "iron-session"`,
  "hono-sessions": `export { CookieStore, MemoryStore, sessionMiddleware } from "hono-sessions"`,
};

/** The size of each bundle: minified and gzipped, in bytes. */
export async function bundleSizes(): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const [library, text] of Object.entries(IMPORTS)) {
    const bundle = await esbuild(["--bundle", "--minify", "--format=esm", "--platform=node"], text);
    // Node's zlib, because Deno's compresses a little less.
    sizes.set(library, Number(await output(NODE, ["--print", GZIP], bundle)));
  }
  return sizes;
}

/**
 * What a cold import of this library takes beyond an empty program, divided by the same for each other
 * library: a ratio for each repetition. A repetition starts each program in several processes and
 * takes the shortest time.
 */
export async function importRatios(
  runtime: Runtime,
  { repetitions, processes }: { repetitions: number; processes: number },
): Promise<Map<string, number[]>> {
  const folder = await transpile();
  try {
    const programs = new Map<string, ImportOptions>([["", {}]]);
    const ratios = new Map<string, number[]>();
    for (const library of Object.keys(IMPORTS).filter((name) => name !== WITH_COOKIE_STORE)) {
      programs.set(library, { specifier: library === OURS ? `${folder}/mod.js` : library });
      if (library !== OURS) ratios.set(library, []);
    }
    for (let repetition = 0; repetition < repetitions; repetition++) {
      const best = new Map<string, number>();
      for (let at = 0; at < processes; at++) {
        for (const [library, options] of shuffled([...programs])) {
          const time = await run<number>(runtime, "cold_import.ts", options);
          best.set(library, Math.min(time, best.get(library) ?? Infinity));
        }
      }
      const added = (library: string) => best.get(library)! - best.get("")!;
      for (const [library, all] of ratios) all.push(added(OURS) / added(library));
    }
    return ratios;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Makes JavaScript of this library, file by file, as it is published for Node. */
async function transpile(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "pagi-bench-" });
  await Deno.writeTextFile(`${folder}/package.json`, `{ "type": "module" }`);
  const info = await output(Deno.execPath(), ["info", "--json", `${ROOT}mod.ts`]);
  const { modules }: { modules: { local: string }[] } = JSON.parse(info);
  for (const { local } of modules) {
    const code = await esbuild(["--loader=ts"], await Deno.readTextFile(local));
    const file = `${folder}/${local.slice(ROOT.length).replace(/\.ts$/, ".js")}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(file, code.replaceAll(/("\.[^"\n]*)\.ts"/g, `$1.js"`));
  }
  return folder;
}

function esbuild(args: string[], text: string): Promise<string> {
  return output(ESBUILD, args, text);
}

/** What a command writes after it has read `text`. */
async function output(path: string, args: string[], text = ""): Promise<string> {
  const command = new Deno.Command(path, { args, cwd: FOLDER, stdin: "piped", stdout: "piped" });
  const process = command.spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { code, stdout } = await process.output();
  if (code !== 0) throw new Error(`${path} ended with ${code}`);
  return new TextDecoder().decode(stdout);
}
