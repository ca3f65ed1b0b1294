/**
 * Checks the pages of docs/how-to/frameworks: each block of code is a part of a file that runs here,
 * and the login app of each page signs people in and out.
 */
import { assert, assertEquals } from "@std/assert";
import { existsSync } from "node:fs";
import { Running } from "./_apps.ts";
import { LOGIN_APPS } from "./_login_apps.ts";
import { goThrough } from "./_login_journey.ts";

const DOCS = new URL("../../docs/how-to/frameworks/", import.meta.url);
const CODE = /^(ts|tsx|js|jsx|mjs|svelte|vue|astro|html)$/;

interface Block {
  language: string;
  lines: string[];
  /** The line on which it begins. */
  at: number;
}

function pages(): string[] {
  return [...Deno.readDirSync(DOCS)]
    .map(({ name }) => name)
    .filter((name) => name.endsWith(".md") && name !== "README.md")
    .map((name) => name.slice(0, -3))
    .sort();
}

/** Returns the blocks of code. */
function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  const all = [...text.matchAll(/^```([a-z]*)[^\n]*\n(.*?)^```$/gms)];
  for (const { 1: language, 2: code, index } of all) {
    const at = text.slice(0, index).split("\n").length;
    blocks.push({ language: language!, lines: linesOf(code!), at });
  }
  return blocks.filter(({ language }) => CODE.test(language));
}

/** The lines without their indentation, so that a block can show a part of a function. */
function linesOf(code: string): string[] {
  return code.trimEnd().split("\n").map((line) => line.trim());
}

/** Whether the lines follow each other in the file. */
function contains(file: string[], lines: string[]): boolean {
  return file.some((_, at) => lines.every((line, i) => file[at + i] === line));
}

/** Reads all files of a folder. */
function filesOf(folder: string): string[][] {
  const files: string[][] = [];
  // A page may have the app of the suite, or files of its own, or both.
  if (!existsSync(folder)) return files;
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (/^(node_modules|build|dist|\..*|package-lock\.json)$/.test(name)) continue;
    if (isDirectory) files.push(...filesOf(path));
    else files.push(linesOf(Deno.readTextFileSync(path)));
  }
  return files;
}

Deno.test("the code of each framework's page is a part of a file that runs here", async (t) => {
  for (const page of pages()) {
    await t.step(page, async () => {
      const apps = LOGIN_APPS.filter((app) => app.page === page);
      assert(apps.length > 0, "_login_apps.ts does not list it");
      const folders = apps.flatMap(({ folders = [`recipes/${page}`] }) => folders);
      const files = folders.flatMap((folder) => filesOf(`${import.meta.dirname}/${folder}`));
      const text = await Deno.readTextFile(new URL(`${page}.md`, DOCS));
      const unknown = blocksOf(text).filter(({ lines }) =>
        !files.some((file) => contains(file, lines))
      );
      const at = unknown.map(({ at, lines }) => `line ${at}: ${lines[0]}`);
      assertEquals(at, [], `no file in ${folders.join()} has these blocks`);
    });
  }
});

Deno.test("each login app belongs to a page", () => {
  const unknown = LOGIN_APPS.filter(({ page }) => !pages().includes(page));
  assertEquals(unknown.map(({ page }) => page), []);
});

Deno.test("the index lists every page", async () => {
  const index = await Deno.readTextFile(new URL("README.md", DOCS));
  for (const page of pages()) assert(index.includes(`(${page}.md)`), page);
});

for (const app of LOGIN_APPS) {
  Deno.test({
    name: `the login app of ${app.page}.md${app.notRun ? ` (not here: ${app.notRun})` : ""}`,
    ignore: app.notRun !== undefined,
    async fn() {
      await using running = await Running.startOnPort(app);
      await goThrough(running.url, app);
      assert(running.isRunning, "the process has ended");
    },
  });
}
