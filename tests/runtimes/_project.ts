/** A user's project: an empty folder with the package from `deno pack`. */
import config from "../../deno.json" with { type: "json" };
import { must } from "./_run.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** The Node that runs npm and the tools, whatever version the machine has. */
const NODE_PACKAGE = "node@24.21.0";
/** Its executable in a project. */
export const NODE = "node_modules/.bin/node";

/** The project's tools. The package itself needs none of them. */
const TOOLS = [
  "@cloudflare/workers-types@5.20261117.1",
  "@hono/node-server@2.1.9",
  "@types/node@24.19.2",
  "esbuild@0.28.2",
  NODE_PACKAGE,
  "typescript-5@npm:typescript@5.9.3",
  "typescript@7.0.2",
  "workerd@1.20261117.1",
];

/** All specifiers of the package. */
export const SPECIFIERS = Object.keys(config.exports).map((path) => config.name + path.slice(1));

export class Project implements AsyncDisposable {
  readonly folder: string;
  /** The folders in `node_modules` after installing only the package. */
  readonly installed: readonly string[];

  private constructor(folder: string, installed: readonly string[]) {
    this.folder = folder;
    this.installed = installed;
  }

  /** Packs the package and creates a project with it. */
  static async create(): Promise<Project> {
    const folder = await Deno.makeTempDir({ prefix: "pagi-runtimes-" });
    // During development the tree may be dirty. In CI, an earlier step must not leave files behind.
    const dirty = Deno.env.get("CI") ? [] : ["--allow-dirty"];
    const pack = ["pack", "--quiet", ...dirty, "--output", `${folder}/package.tgz`];
    await must([Deno.execPath(), ...pack], { cwd: ROOT });
    await Deno.writeTextFile(`${folder}/package.json`, '{ "private": true, "type": "module" }');
    await npmInstall(folder, "./package.tgz");
    const installed = Array.from(Deno.readDirSync(`${folder}/node_modules`), ({ name }) => name);
    await npmInstall(folder, "--save-dev", ...TOOLS);
    for (const { name } of Deno.readDirSync(`${ROOT}tests/runtimes/suite`)) {
      await Deno.copyFile(`${ROOT}tests/runtimes/suite/${name}`, `${folder}/${name}`);
    }
    return new Project(folder, installed.filter((name) => !name.startsWith(".")));
  }

  /** Returns the path of a file in the project. */
  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  /** Writes a module that imports all specifiers of the package and passes the modules on. */
  async writeEntry(name: string, imports: string, use: string): Promise<void> {
    const modules = SPECIFIERS.map((specifier, at) => [`module${at}`, JSON.stringify(specifier)]);
    const lines = [
      ...modules.map(([local, specifier]) => `import * as ${local} from ${specifier};`),
      imports,
      `const modules = { ${modules.map(([local, key]) => `${key}: ${local}`).join(", ")} };`,
      use,
    ];
    await Deno.writeTextFile(this.path(name), lines.join("\n"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function npmInstall(cwd: string, ...args: string[]): Promise<void> {
  const options = "--no-audit --no-fund --no-package-lock --save-exact";
  const call = `npm install ${options} ${args.join(" ")}`;
  await must(["npx", "--yes", `--package=${NODE_PACKAGE}`, "--call", call], { cwd });
}
