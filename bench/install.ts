/** Installs the other libraries, Bun and Node from npm. */
import manifest from "./package.json" with { type: "json" };

const FOLDER = new URL(".", import.meta.url).pathname;

/**
 * Installs the packages in package.json, unless that is done. npm runs under the Node that
 * package.json pins, because some packages refuse older versions.
 */
export async function install(): Promise<void> {
  const wanted = await modified("package.json");
  const installed = await modified("node_modules/.package-lock.json");
  if (wanted === undefined || (installed !== undefined && installed >= wanted)) return;
  console.log("Installing the other libraries, Bun and Node into bench/node_modules …");
  const node = `--package=node@${manifest.dependencies.node}`;
  const { code } = await new Deno.Command("npx", {
    args: ["--yes", node, "--call", "npm install --no-package-lock --no-audit --no-fund"],
    cwd: FOLDER,
  }).spawn().status;
  if (code !== 0) throw new Error(`npm install ended with ${code}`);
}

async function modified(path: string): Promise<number | undefined> {
  try {
    return (await Deno.stat(`${FOLDER}${path}`)).mtime?.getTime();
  } catch {
    return undefined;
  }
}
