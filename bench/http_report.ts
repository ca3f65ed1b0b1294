/** The report's section on servers under load. */
import { BARE_WITH, type StoreName } from "./contenders/contender.ts";
import type { HttpResult, ServerResult } from "./http.ts";
import { heading, table } from "./markdown.ts";
import { NAMES, NONE, serverCostOf, STORE_NAMES } from "./names.ts";
import { type ByRuntime, entriesOf } from "./results.ts";
import type { Runtime } from "./runtimes.ts";

const INTRODUCTION =
  "Requests a second, as a part of what the same framework answers without sessions; in brackets what the middle half of the rounds lies between; after it the processor time that a session adds to a request, in microseconds of this run. “–”: not measured.";

/** A table for each runtime. */
export function http(byRuntime: ByRuntime<HttpResult>): string[] {
  const tables = entriesOf(byRuntime).flatMap(([runtime, result]) => ofRuntime(runtime, result));
  return [heading("Behind a server"), INTRODUCTION, ...tables];
}

function ofRuntime(runtime: Runtime, { loader, connections, servers }: HttpResult): string[] {
  const pieces: readonly string[] = Object.values(BARE_WITH);
  const libraries = servers.filter(({ contender }) => !pieces.includes(contender));
  const names = [...new Set(libraries.map(({ contender }) => contender))];
  const requests = Map.groupBy(libraries, ({ store, bytes, act }) => `${store} ${bytes} ${act}`);
  const rows = [...requests.values()].map((group) => [
    ...requestOf(group[0]!),
    ...names.map((name) => cell(group.find(({ contender }) => contender === name))),
  ]);
  return [
    heading(`${NAMES[runtime]}, ${connections} connections of ${loader}`, 3),
    table(["store", "session", "request", ...names], rows),
    bares(libraries),
    ...ofPieces(servers.filter(({ contender }) => pieces.includes(contender))),
  ];
}

function requestOf({ store, bytes, act }: { store: StoreName; bytes: number; act: string }) {
  return [STORE_NAMES[store], `${bytes.toLocaleString("en")} B`, act];
}

function cell(server: ServerResult | undefined): string {
  return server === undefined ? NONE : serverCostOf(server);
}

/** What the frameworks do without sessions, each where it was measured first. */
function bares(servers: readonly ServerResult[]): string {
  const found = new Map<string, number>();
  for (const { framework, barePerSecond } of servers) {
    if (!found.has(framework)) found.set(framework, barePerSecond);
  }
  const list = [...found].map(([name, count]) => `${name} ${count.toFixed(0)}`);
  return `Without sessions, a second: ${list.join(", ")}.`;
}

/** The bare handler and one thing more. */
function ofPieces(servers: readonly ServerResult[]): string[] {
  if (servers.length === 0) return [];
  const list = servers.map((server) => `${server.contender}: ${cell(server)}`);
  return [`The bare handler with one thing more, and no session: ${list.join("; ")}.`];
}
