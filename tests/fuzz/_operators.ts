/** Small mistakes that can be made anywhere: what a mutation run does to a source. */
import { parse } from "npm:@babel/parser@7.28.5";
import type { Node } from "npm:@babel/types@7.28.5";

/** One mistake: a stretch of a source and what stands there instead. */
export interface Mutation {
  /** What is done, such as "=== for !==". */
  name: string;
  start: number;
  end: number;
  replacement: string;
}

const SWAPS: Record<string, string[]> = {
  "===": ["!=="],
  "!==": ["==="],
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  "^": ["&"],
  "&": ["|"],
  "|": ["&"],
  "<<": [">>"],
  ">>": ["<<"],
  ">>>": ["<<"],
  "%": ["*"],
  "&&": ["||"],
  "||": ["&&"],
  "??": ["&&"],
  "+=": ["-="],
  "-=": ["+="],
};

/** What no test can see, or what no program runs: types, messages, the names of modules. */
const SKIPPED = /^(TS(?!As|NonNull|Satisfies)|Import|ExportAll)/;
const SKIPPED_KEYS = ["typeAnnotation", "typeParameters", "returnType", "leadingComments"];

/** Every mutation of a TypeScript source. */
export function mutationsOf(source: string): Mutation[] {
  const mutations: Mutation[] = [];
  const file = parse(source, { sourceType: "module", plugins: ["typescript"] });
  walk(file.program, (node) => mutations.push(...mutationsAt(node, source)));
  return mutations;
}

/** The source with one mistake in it. */
export function mutated(source: string, { start, end, replacement }: Mutation): string {
  return source.slice(0, start) + replacement + source.slice(end);
}

function walk(node: Node, visit: (node: Node) => void): void {
  if (SKIPPED.test(node.type) || isMessage(node) || isDescription(node)) return;
  visit(node);
  for (const [key, value] of Object.entries(node)) {
    if (SKIPPED_KEYS.includes(key)) continue;
    for (const child of [value].flat() as (Partial<Node> | undefined)[]) {
      if (typeof child?.type === "string" && typeof child.start === "number") {
        walk(child as Node, visit);
      }
    }
  }
}

/** An error that is made, or an event's text: words for people, and tests look for few of them. */
function isMessage(node: Node): boolean {
  if (node.type === "NewExpression") {
    return node.callee.type === "Identifier" && node.callee.name.endsWith("Error");
  }
  return node.type === "ObjectProperty" && node.key.type === "Identifier" &&
    node.key.name === "message";
}

/** A symbol that is made: what it is called decides nothing. */
function isDescription(node: Node): boolean {
  return node.type === "CallExpression" && node.callee.type === "Identifier" &&
    node.callee.name === "Symbol";
}

function mutationsAt(node: Node, source: string): Mutation[] {
  const [start, end] = [node.start!, node.end!];
  const text = source.slice(start, end);
  const put = (name: string, replacement: string, part: Node = node): Mutation => {
    return { name, start: part.start!, end: part.end!, replacement };
  };
  const not = (test: Node) =>
    hasNegation(test) ? [] : [put("not", `!(${source.slice(test.start!, test.end!)})`, test)];
  switch (node.type) {
    case "BinaryExpression":
    case "LogicalExpression":
    case "AssignmentExpression":
      return swapsOf(node.operator, source, node.left.end!, node.right.start!);
    case "IfStatement":
    case "ConditionalExpression":
      return not(node.test);
    case "UnaryExpression":
      return node.operator === "!" ? [put("without !", text.slice(1))] : [];
    case "UpdateExpression": {
      const other = node.operator === "++" ? "--" : "++";
      return [put(`${other} for ${node.operator}`, text.replace(node.operator, other))];
    }
    case "NumericLiteral":
      return [put("one more", `(${text} + 1)`)];
    case "BooleanLiteral":
      return [put("the other", String(!node.value))];
    case "StringLiteral":
      return [put("another text", node.value === "" ? '"mutant"' : '""')];
    case "RegExpLiteral":
      return patternsOf(text).map((pattern) => put(`pattern ${pattern}`, pattern));
    case "ExpressionStatement":
    case "ThrowStatement":
    case "BreakStatement":
    case "ContinueStatement":
      return [put(`without ${node.type}`, ";")];
    case "ReturnStatement":
      // Nothing is as false as false is; whether true goes for it is another mutation.
      if (text === "return undefined;" || text === "return false;") return [];
      return node.argument ? [put("return nothing", "return undefined;")] : [put("no return", ";")];
    default:
      return [];
  }
}

/** Whether one of a test's other mutations is its negation: a `!` taken off, or a comparison's opposite. */
function hasNegation(test: Node): boolean {
  return test.type === "UnaryExpression"
    ? test.operator === "!"
    : test.type === "BinaryExpression" && /^([!=]==|[<>]=?)$/.test(test.operator);
}

/** The operator between two operands, exchanged for others. */
function swapsOf(operator: string, source: string, from: number, to: number): Mutation[] {
  const start = source.indexOf(operator, from);
  if (start === -1 || start > to) return [];
  return (SWAPS[operator] ?? []).map((other) => ({
    name: `${other} for ${operator}`,
    start,
    end: start + operator.length,
    replacement: other,
  }));
}

/** A pattern without an anchor, with another quantifier, or without a flag. */
function patternsOf(text: string): string[] {
  const changed = [
    text.replace(/^\/\^/, "/"),
    text.replace(/\$\/(\w*)$/, "/$1"),
    text.replace(/([^\\])\+/, "$1*"),
    text.replace(/([\])])\*/, "$1+"),
    text.replace(/\/[a-z]+$/, "/"),
  ];
  return [...new Set(changed)].filter((pattern) => pattern !== text);
}
