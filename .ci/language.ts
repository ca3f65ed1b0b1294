/**
 * Finds English that readers stumble over, in documents, comments and messages. It fails if an area
 * has more of a pattern than `.ci/language_baseline.json` records.
 *
 *     deno run --allow-read=. --allow-run=git .ci/language.ts
 *     deno run -A .ci/language.ts --all [PATH ...]   lists every finding
 *     deno run -A .ci/language.ts --update           records lower numbers; with --raise, higher ones too
 *
 * `<!-- language: off -->` and `// language: off` exempt the text up to the same sign with `on`.
 *
 * @module
 */

import { MAX_WORDS, PATTERNS } from "./language_patterns.ts";
import { sentencesOf } from "./prose.ts";
import { lineOf } from "./scan.ts";

/** A sentence to rewrite. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  /** The pattern's name. */
  readonly pattern: string;
  readonly instead: string;
  readonly excerpt: string;
}

/** Findings by area and pattern. */
export type Counts = Record<string, Record<string, number>>;

/** An area that has more or less of a pattern than the baseline. */
export interface Difference {
  readonly area: string;
  readonly pattern: string;
  readonly was: number;
  readonly is: number;
}

const LONG = {
  name: "long sentence",
  instead: `two sentences: ${MAX_WORDS} words at most`,
};

/** The sentences of a file that need rewriting. */
export function findIn(path: string, source: string): Finding[] {
  const area = areaOf(path);
  const patterns = PATTERNS.filter(({ areas }) => areas === undefined || areas.includes(area));
  return sentencesOf(path, source).flatMap(({ text, start }) => {
    const found: Finding[] = [];
    const add = ({ name, instead }: { name: string; instead: string }, at: number) => {
      const line = lineOf(source, start + at);
      found.push({ path, line, pattern: name, instead, excerpt: excerptOf(text, at) });
    };
    for (const pattern of patterns) {
      const at = text.search(pattern.find);
      if (at >= 0) add(pattern, at);
    }
    if (text.split(/\s+/).filter((word) => /[A-Za-z0-9□]/.test(word)).length > MAX_WORDS) {
      add(LONG, 0);
    }
    return found;
  });
}

/** The top-level folder; for files at the root, the document's name or "root". */
export function areaOf(path: string): string {
  const [top, ...rest] = path.split("/");
  return rest.length > 0 || !top!.endsWith(".ts") ? top! : "root";
}

function excerptOf(text: string, at: number): string {
  const line = text.replace(/\s/g, " ");
  const from = at < 60 ? 0 : line.indexOf(" ", at - 40) + 1;
  const excerpt = line.slice(from, from + 110).replace(/ +/g, " ");
  return (from > 0 ? "…" : "") + excerpt + (from + 110 < line.length ? "…" : "");
}

/** How many findings there are, sorted by name. */
export function countsOf(findings: readonly Finding[]): Counts {
  const counts: Counts = {};
  for (const { path, pattern } of findings) {
    const area = counts[areaOf(path)] ??= {};
    area[pattern] = (area[pattern] ?? 0) + 1;
  }
  return sorted(counts, (area) => sorted(area, (count) => count));
}

function sorted<Value>(object: Record<string, Value>, map: (value: Value) => Value) {
  return Object.fromEntries(
    Object.entries(object).sort(([a], [b]) => a < b ? -1 : 1).map((
      [key, value],
    ) => [key, map(value)]),
  );
}

/** Where the numbers differ from the baseline. */
export function compare(counts: Counts, baseline: Counts): Difference[] {
  const areas = new Set([...Object.keys(counts), ...Object.keys(baseline)]);
  return [...areas].flatMap((area) => {
    const names = new Set([
      ...Object.keys(counts[area] ?? {}),
      ...Object.keys(baseline[area] ?? {}),
    ]);
    return [...names].flatMap((pattern) => {
      const was = baseline[area]?.[pattern] ?? 0;
      const is = counts[area]?.[pattern] ?? 0;
      return was === is ? [] : { area, pattern, was, is };
    });
  });
}

const BASELINE = ".ci/language_baseline.json";
/** Findings of one pattern and area that are printed. */
const MAX_SHOWN = 10;
const SKIPPED = new Set(["node_modules", "coverage", ".git", ".svelte-kit", "results"]);

function readFiles(folder = ".", files = new Map<string, string>()): Map<string, string> {
  const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory } of entries) {
    const path = folder === "." ? name : `${folder}/${name}`;
    if (isDirectory && !SKIPPED.has(name)) readFiles(path, files);
    if (!isDirectory && (/\.(?:ts|md)$/.test(name) || path === "deno.json")) {
      files.set(path, Deno.readTextFileSync(path));
    }
  }
  return files;
}

function readBaseline(): Counts {
  try {
    return JSON.parse(Deno.readTextFileSync(BASELINE));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}

/** Whether a finding is on a line that was written after the baseline; never without git. */
function isNew(): (finding: Finding) => boolean {
  try {
    const commit = git(["log", "-1", "--format=%H", "--", BASELINE]).trim();
    const lines = new Set<string>();
    let path = "";
    for (const row of git(["diff", "--unified=0", "--no-prefix", commit]).split("\n")) {
      if (row.startsWith("+++ ")) path = row.slice(4);
      const hunk = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/.exec(row);
      if (hunk === null) continue;
      const first = Number(hunk[1]);
      for (let line = first; line < first + Number(hunk[2] ?? 1); line++) {
        lines.add(`${path}:${line}`);
      }
    }
    const untracked = new Set(git(["ls-files", "--others", "--exclude-standard"]).split("\n"));
    return ({ path, line }) => untracked.has(path) || lines.has(`${path}:${line}`);
  } catch {
    return () => false;
  }
}

function git(args: string[]): string {
  const { success, stdout } = new Deno.Command("git", { args, stderr: "null" }).outputSync();
  if (!success) throw new Error(`Cannot run git ${args[0]}`);
  return new TextDecoder().decode(stdout);
}

function print(findings: readonly Finding[]): void {
  for (const { path, line, pattern, instead, excerpt } of findings) {
    console.log(`${path}:${line}: ${pattern}: ${excerpt}\n    write ${instead}`);
  }
}

/** Prints the findings of an area that has more of a pattern; those on new lines, if git knows them. */
function printRaised(
  findings: readonly Finding[],
  { area, pattern, was, is }: Difference,
  wasAdded: (finding: Finding) => boolean,
) {
  console.log(`\n${area}: ${pattern}: ${is}, ${was} in the baseline`);
  const all = findings.filter((one) => one.pattern === pattern && areaOf(one.path) === area);
  const added = all.filter(wasAdded);
  const shown = added.length >= is - was ? added : all;
  print(shown.slice(0, MAX_SHOWN));
  if (shown.length > MAX_SHOWN) {
    console.log(`and ${shown.length - MAX_SHOWN} more: deno run -A .ci/language.ts --all ${area}`);
  }
}

function main(args: readonly string[]): number {
  const paths = args.filter((argument) => !argument.startsWith("--"));
  const findings = [...readFiles()].flatMap(([path, source]) => findIn(path, source));
  if (args.includes("--all")) {
    const isAsked = (path: string) =>
      paths.length === 0 || paths.some((start) => path.startsWith(start));
    print(findings.filter(({ path }) => isAsked(path)));
    return 0;
  }
  const counts = countsOf(findings);
  const differences = compare(counts, readBaseline());
  const raised = differences.filter(({ was, is }) => is > was);
  const lowered = differences.filter(({ was, is }) => is < was);
  if (args.includes("--update") && (raised.length === 0 || args.includes("--raise"))) {
    Deno.writeTextFileSync(BASELINE, JSON.stringify(counts, undefined, 2) + "\n");
    console.log(`${BASELINE}: ${lowered.length} numbers lower, ${raised.length} higher`);
    return 0;
  }
  if (raised.length > 0) {
    const wasAdded = isNew();
    for (const difference of raised) printRaised(findings, difference, wasAdded);
    console.log("\nRewrite these sentences. CONTRIBUTING.md has examples.");
    return 1;
  }
  for (const { area, pattern, was, is } of lowered) {
    console.log(`${area}: ${pattern}: ${was} → ${is}`);
  }
  if (lowered.length > 0) {
    console.log(`Fewer findings. Record it: deno run -A .ci/language.ts --update`);
  }
  console.log(`language: ${findings.length} findings, none new`);
  return 0;
}

if (import.meta.main) Deno.exit(main(Deno.args));
