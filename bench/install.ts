/** Installs the other libraries, Bun and Node from npm. */

const FOLDER = new URL(".", import.meta.url).pathname;

/** Installs the packages in package.json, unless that is done. */
export async function install(): Promise<void> {
  const wanted = await modified("package.json");
  const installed = await modified("node_modules/.package-lock.json");
  if (wanted === undefined || (installed !== undefined && installed >= wanted)) return;
  console.log("Installing the other libraries, Bun and Node into bench/node_modules …");
  const { code } = await new Deno.Command("npm", {
    args: ["install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"],
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
