/**
 * The import rules of docs/explanation/architecture.md, as functions on a tree of sources.
 * `tests/architecture_test.ts` applies them to this repository.
 *
 * @module
 */

import { lineOf, scan, type Token } from "./scan.ts";

/** The parts of a repository that the rules read. */
export interface Project {
  /** Every TypeScript source by its path from the root. */
  readonly files: ReadonlyMap<string, string>;
  /** The `exports` of deno.json. */
  readonly exports: Readonly<Record<string, string>>;
  /** The `publish.include` of deno.json. */
  readonly include: readonly string[];
}

/** One import, re-export, dynamic import or `import("...")` type. */
export interface Import {
  readonly from: string;
  readonly line: number;
  /** The path of a file of this repository, or the specifier of anything else. */
  readonly to: string;
}

/**
 * Top-level files and folders of the package, bottom to top. A file imports its own folder and lower
 * layers. The members of one layer do not import each other.
 */
const LAYERS: readonly (readonly string[])[] = [
  ["errors.ts", "pagi.ts"],
  ["base"],
  ["data", "state", "store"],
  ["session.ts"],
  ["core"],
  ["middleware.ts", "migrate"],
  ["adapters", "testing"],
  ["mod.ts"],
];

/** The only files that `core/` may import from these folders. */
const CONTRACTS: ReadonlyMap<string, string> = new Map([
  ["state", "state/state.ts"],
  ["store", "store/store.ts"],
]);

/** An importer and a member of the same layer that it may import. */
const SAME_LAYER: ReadonlySet<string> = new Set(["errors.ts pagi.ts"]);
/** An importer and another folder whose private files it may import. */
const PRIVATE_ELSEWHERE: ReadonlySet<string> = new Set(["migrate state"]);

/** Facts that more than one folder needs: the code that defines one, and the only file that may. */
export interface Fact {
  readonly fact: string;
  readonly pattern: RegExp;
  readonly file: string;
}

/** The shared facts of this package. */
export const FACTS: readonly Fact[] = [
  {
    fact: "browsers' limit of 4096 bytes for a cookie",
    pattern: /\b4_?096\b/,
    file: "base/limits.ts",
  },
  {
    fact: "browsers' limit of 400 days for a cookie",
    pattern: /\b400 \* (?:86_?400|24)\b|\b34_?560_?000\b/,
    file: "base/limits.ts",
  },
  {
    fact: "the number of attempts of a write",
    pattern: /\bMAX_(?:ATTEMPTS|HOPS|TRIES) =/,
    file: "base/limits.ts",
  },
  {
    fact: "the default lifetime of a session",
    pattern: /\bDEFAULT_EXPIRE =/,
    file: "base/limits.ts",
  },
  {
    fact: "the methods of a plain store",
    pattern: /\[\s*"get",\s*"set",\s*"delete"/,
    file: "base/store_methods.ts",
  },
  {
    fact: "the methods of a versioned store",
    pattern: /\[\s*"read",\s*"create",\s*"replace"/,
    file: "base/store_methods.ts",
  },
  {
    fact: "the methods of a cookie-backed store",
    pattern: /\[\s*"open",\s*"seal"/,
    file: "base/store_methods.ts",
  },
];

/** Every violation of every rule, one sentence or two each. */
export function violations(project: Project, facts: readonly Fact[] = FACTS): string[] {
  const imports = importsOf(project.files);
  return [
    ...brokenExports(project),
    ...misplacedFiles(project),
    ...imports.flatMap((one) => brokenImport(one, project.files)),
    ...cycles(imports),
    ...repeatedFacts(project.files, facts),
  ];
}

/** The imports of every file, in its order. */
export function importsOf(files: ReadonlyMap<string, string>): Import[] {
  return [...files].flatMap(([from, source]) =>
    specifiersOf(source).map(({ specifier, start }) => ({
      from,
      line: lineOf(source, start),
      to: specifier.startsWith(".") ? resolve(from, specifier) : specifier,
    }))
  );
}

interface Specifier {
  readonly specifier: string;
  readonly start: number;
}

/** The module specifiers of a source. One that is computed at run time is `(computed)`. */
function specifiersOf(source: string): Specifier[] {
  const tokens = scan(source).filter(({ kind }) => kind !== "comment");
  const found: Specifier[] = [];
  for (const [index, { text, kind, start }] of tokens.entries()) {
    if (kind !== "word" || tokens[index - 1]?.text === ".") continue;
    const specifier = text === "import"
      ? specifierOfImport(tokens, index + 1)
      : text === "export"
      ? specifierOfExport(tokens, index + 1)
      : undefined;
    if (specifier !== undefined) found.push({ specifier, start });
  }
  return found;
}

function specifierOfImport(tokens: readonly Token[], next: number): string | undefined {
  const token = tokens[next];
  if (token === undefined) return undefined;
  // import "x"
  if (token.kind === "string") return unquote(token);
  if (token.text === "(") {
    const argument = tokens[next + 1];
    const after = tokens[next + 2]?.text;
    const isLiteral = argument?.kind === "string" && (after === ")" || after === ",");
    return isLiteral ? unquote(argument) : "(computed)";
  }
  // import.meta, or a property called import
  if (token.kind !== "word" && token.text !== "{" && token.text !== "*") return undefined;
  return specifierAfterFrom(tokens, next);
}

function specifierOfExport(tokens: readonly Token[], next: number): string | undefined {
  const first = tokens[next]?.text === "type" ? next + 1 : next;
  if (tokens[first]?.text === "*") return specifierAfterFrom(tokens, first);
  if (tokens[first]?.text !== "{") return undefined;
  const close = tokens.findIndex(({ text }, index) => index > first && text === "}");
  // Without `from`, it exports this file's own names.
  return tokens[close + 1]?.text === "from" ? specifierAfterFrom(tokens, close) : undefined;
}

/** The first string that follows a `from`: names may be called `from` too. */
function specifierAfterFrom(tokens: readonly Token[], start: number): string | undefined {
  for (let index = start; index < tokens.length - 1; index++) {
    const next = tokens[index + 1]!;
    if (tokens[index]!.text === "from" && next.kind === "string") return unquote(next);
    if (next.text === ";") return undefined;
  }
  return undefined;
}

const unquote = ({ text }: Token) => text.slice(1, -1);

function resolve(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

/** The top-level folder of a path, or the file itself at the root. */
const topOf = (path: string) => path.split("/", 1)[0]!;
/** The place of a file in LAYERS, or -1 if it is not a part of the package. */
const layerOf = (path: string) => LAYERS.findIndex((members) => members.includes(topOf(path)));
const isPrivate = (name: string) => name.startsWith("_");

function brokenExports({ exports, files }: Project): string[] {
  return Object.entries(exports).flatMap(([subpath, target]) => {
    const path = resolve("deno.json", target);
    if (files.has(path)) return [];
    return `deno.json exports ${target} as "${subpath}", which does not exist. Correct the path.`;
  });
}

/** Files that no layer or no pattern of `publish.include` covers. */
function misplacedFiles({ files, include }: Project): string[] {
  const published = include.map(globToRegExp);
  return [...files.keys()].flatMap((path) => {
    const isAtRoot = !path.includes("/");
    if (isAtRoot && isPrivate(path)) {
      return `${path} is a private file at the root. Move it into the folder that uses it.`;
    }
    const isIncluded = published.some((pattern) => pattern.test(path));
    const isInLayer = layerOf(path) >= 0;
    if (isInLayer && !isIncluded) {
      const pattern = isAtRoot ? "*.ts" : `${topOf(path)}/**/*.ts`;
      return `${path} is not published. Add "${pattern}" to publish.include in deno.json.`;
    }
    if (isInLayer || (!isIncluded && !isAtRoot)) return [];
    return `${path} is in no layer. Move it into a folder of the package, or add "${
      topOf(path)
    }" ` +
      "to LAYERS in .ci/architecture.ts and to docs/explanation/architecture.md.";
  });
}

function globToRegExp(glob: string): RegExp {
  const pattern = glob.split("**/")
    .map((part) => part.split("*").map(RegExp.escape).join("[^/]*"))
    .join("(?:.*/)?");
  return new RegExp(`^${pattern}$`);
}

/** The first rule that an import breaks. */
function brokenImport(one: Import, files: ReadonlyMap<string, string>): string[] {
  const { from, to } = one;
  const fromLayer = layerOf(from);
  const toLayer = layerOf(to);
  const fails = (rule: string, advice: string) => [`${place(one)}: ${rule}. ${advice}.`];
  if (fromLayer >= 0) {
    if (to === "(computed)") {
      return fails("the package imports by literal names only", "Write the file's name out");
    }
    if (toLayer < 0 || !files.has(to)) {
      return fails(
        "the package imports only its own files",
        "Take it as a parameter with a structural type, or write what you need of it",
      );
    }
    const fromTop = topOf(from);
    const toTop = topOf(to);
    const advice = "Move what both need to base/, or pass it in";
    if (toLayer > fromLayer) return fails(`${toTop} is a layer above ${fromTop}`, advice);
    if (toLayer === fromLayer && fromTop !== toTop && !SAME_LAYER.has(`${fromTop} ${toTop}`)) {
      return fails(`${fromTop} and ${toTop} are one layer and do not import each other`, advice);
    }
    const contract = CONTRACTS.get(toTop);
    if (fromTop === "core" && contract !== undefined && contract !== to) {
      return fails(
        `core/ imports only the contract ${contract} of ${toTop}/`,
        `Move what it needs to base/ or into ${contract}, or pass it in from middleware.ts`,
      );
    }
  }
  const home = privateHome(from, to);
  if (home === undefined) return [];
  const advice = fromLayer < 0
    ? "Import a public file in its place"
    : "Move the file to base/ or into the importer's folder, or drop its underscore";
  return fails(`private files of ${home}/ are for ${home}/ only`, advice);
}

/** The folder of the package that `to` is private to, if `from` is outside it. */
function privateHome(from: string, to: string): string | undefined {
  // Unit tests look inside the package.
  if (layerOf(to) < 0 || topOf(from) === "tests") return undefined;
  if (PRIVATE_ELSEWHERE.has(`${topOf(from)} ${topOf(to)}`)) return undefined;
  const names = to.split("/");
  for (const [depth, name] of names.entries()) {
    const home = names.slice(0, depth).join("/");
    if (isPrivate(name) && home !== "" && !from.startsWith(`${home}/`)) return home;
  }
  return undefined;
}

const place = ({ from, line, to }: Import) => `${from}:${line} imports ${to}`;

/** One message for each group of files in cycles with each other, with a shortest cycle. */
function cycles(imports: readonly Import[]): string[] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports) {
    const list = targets.get(from);
    if (list === undefined) targets.set(from, [to]);
    else list.push(to);
  }
  const reported = new Set<string>();
  return [...targets.keys()].sort().flatMap((start) => {
    if (reported.has(start)) return [];
    const cycle = shortestPath(targets, start, start);
    if (cycle === undefined) return [];
    const group = [...targets.keys()].filter((file) =>
      file === start ||
      shortestPath(targets, start, file) !== undefined &&
        shortestPath(targets, file, start) !== undefined
    );
    group.forEach((file) => reported.add(file));
    const others = group.length - (cycle.length - 1);
    const more = others === 0 ? "" : ` (other files in cycles with these: ${others})`;
    return `${cycle.join(" → ")}: import cycle${more}. ` +
      "Move what they share to a file of its own below them.";
  });
}

/** The shortest chain of imports from one file to another, with both ends. */
function shortestPath(
  targets: ReadonlyMap<string, readonly string[]>,
  start: string,
  end: string,
): string[] | undefined {
  const before = new Map<string, string>();
  const queue = [start];
  for (const file of queue) {
    for (const next of targets.get(file) ?? []) {
      if (next === end) {
        const path = [end];
        for (let at = file; at !== start; at = before.get(at)!) path.unshift(at);
        return [start, ...path];
      }
      if (next !== start && !before.has(next)) {
        before.set(next, file);
        queue.push(next);
      }
    }
  }
  return undefined;
}

/** Definitions of a shared fact outside its file, and facts that their file does not define. */
function repeatedFacts(files: ReadonlyMap<string, string>, facts: readonly Fact[]): string[] {
  const code = new Map(
    [...files].filter(([path]) => layerOf(path) >= 0)
      .map(([path, source]) => [path, withoutComments(source)]),
  );
  return facts.flatMap(({ fact, pattern, file }) => {
    const others = [...code].filter(([path, source]) => path !== file && pattern.test(source));
    const repeated = others.map(([path, source]) => {
      const line = lineOf(source, source.search(pattern));
      return `${path}:${line} defines ${fact}, which belongs in ${file}. Import it from there.`;
    });
    if (pattern.test(code.get(file) ?? "")) return repeated;
    return [
      ...repeated,
      `${file} does not define ${fact}. Define it there, or correct FACTS in .ci/architecture.ts.`,
    ];
  });
}

/** The source with spaces in place of comments, so that lines stay where they are. */
function withoutComments(source: string): string {
  let code = "";
  let end = 0;
  for (const { kind, text, start } of scan(source)) {
    if (kind !== "comment") continue;
    code += source.slice(end, start) + text.replace(/[^\n]/g, " ");
    end = start + text.length;
  }
  return code + source.slice(end);
}
