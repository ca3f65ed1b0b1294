/** What the functions in a profile belong to: the table that they are sorted by. */

/** What is not JavaScript: the event loop, and a server that reads and writes. */
export const SERVER = "Server, event loop, system";
/** What of these is JavaScript. */
const SERVER_SCRIPT = "JavaScript of the server and the event loop";
/** What perf can tell of code: that it is the runtime's, or was made by its compilers. */
export const RUNTIME = "The runtime's own code, whatever for";
export const COMPILED = "JavaScript, once compiled";
/** Nothing at all. */
export const WAITING = "Waiting for it";

/** The groups, in the order in which they are shown. */
export const GROUPS = [
  SERVER,
  SERVER_SCRIPT,
  "@hono/node-server",
  "Request, Response, Headers, URL",
  "Garbage collection",
  "JSON and the session's text",
  "Ids",
  "MemoryStore",
  "Cryptography",
  WAITING,
  "Bytes and Base64 of what is sealed",
  "State and cookie",
  "Middleware and response headers",
  "Lifecycle and calls of the store",
  "Session and its values",
  "All the rest of ours",
  "The handler and the loop that measures",
  RUNTIME,
  COMPILED,
  "Other",
] as const;

/** The name of a group. */
export type GroupName = typeof GROUPS[number];

/** A function in a profile. */
export interface Frame {
  name: string;
  /** Its file from the root of this project, or what the runtime calls it; "" when it has none. */
  file: string;
  /** Who called it; undefined for what nobody did. */
  caller: Frame | undefined;
}

interface Rule {
  /** Where it goes; undefined for what is left out. */
  group: GroupName | undefined;
  name?: RegExp;
  file?: RegExp;
  /** The file of who called it. */
  callerFile?: RegExp;
}

const NATIVE = /^$/;
/** Our own files but those of the benchmark, and of what has groups of its own. */
const OURS = /^(?!bench\/|store\/)[\w/]+\.ts$/;

/** The first that fits counts. Where none does, a function goes where its caller goes. */
const RULES: readonly Rule[] = [
  { group: WAITING, name: /^\(idle\)$/ },
  { group: SERVER, name: /^(\(program\)|runMicrotasks)$/ },
  // What Node hands its answers to the system with.
  { group: SERVER, file: NATIVE, name: /^write(\w*String|v|Buffer)$/ },
  // The profiler's own start and stop.
  { group: undefined, file: /^(ext:deno_node|node:)\/?inspector/ },
  { group: "Garbage collection", name: /^\(garbage collector\)$/ },

  { group: "Ids", file: /^(_id|_id_of)\.ts$/ },
  { group: "Ids", callerFile: /^(_id|_id_of)\.ts$/ },
  { group: "Ids", file: /^node:internal\/crypto\/random/ },
  { group: "Cryptography", file: /^(ext:deno_crypto|node:internal\/crypto)\// },
  { group: "Cryptography", file: NATIVE, name: /^(encrypt|decrypt)$/ },
  {
    group: "Bytes and Base64 of what is sealed",
    file: /^(store\/(_seal|_cookie|cookie|_recent)|_base64)/,
  },

  // Bun's natives show under their own names, those of V8 count to their callers.
  {
    group: "JSON and the session's text",
    file: NATIVE,
    name: /^(parse|stringify)$/,
    callerFile: OURS,
  },
  { group: "JSON and the session's text", file: /^_(codec|data_codec|plain_values|merge)\.ts$/ },
  {
    group: "Request, Response, Headers, URL",
    file: NATIVE,
    name: /^(get|set|has|append|delete|getSetCookie|clone|cancel)$/,
    callerFile: OURS,
  },
  {
    group: "Request, Response, Headers, URL",
    file: NATIVE,
    name: /^(Request|Response|Headers|URL)$/,
  },
  { group: "Request, Response, Headers, URL", file: /^ext:(deno_fetch|deno_web|deno_webidl)\// },
  { group: "Request, Response, Headers, URL", file: /^ext:runtime\/98_global_scope_shared/ },
  {
    group: "Request, Response, Headers, URL",
    file:
      /^node:(buffer$|internal\/(deps\/undici|webstreams|url|encoding|abort|webidl|worker|util))/,
  },
  // Deno.serve hands out what the request says, and the rest of its file is the server.
  {
    group: "Request, Response, Headers, URL",
    file: /^ext:deno_http\//,
    name: /^(get \w+|header|hasHeader|url|method|cancel|fastSyncResponseOrStream)$/,
  },
  { group: SERVER_SCRIPT, file: /^ext:(core|deno_http|deno_net)\// },
  {
    group: SERVER_SCRIPT,
    file: /^node:(_?http|net$|_?stream|events$|internal\/(http|process|streams?|timers))/,
  },
  // Its Request, Response and Headers, too: they are in one file with the server.
  { group: "@hono/node-server", file: /^bench\/node_modules\/@hono\/node-server\// },

  { group: "MemoryStore", file: /^store\// },
  { group: "State and cookie", file: /^state\// },
  { group: "The handler and the loop that measures", file: /^bench\// },
  {
    group: "Middleware and response headers",
    file: /^(middleware|_request_scope|_response|_answers)\.ts$/,
  },
  {
    group: "Lifecycle and calls of the store",
    file:
      /^(lifecycle|_exchange|_control|_session_reader|_session_records|_store_face|_awaitable)\.ts$/,
  },
  { group: "Session and its values", file: /^(session|_data)\.ts$/ },
  { group: "All the rest of ours", file: OURS },
];

/** The group that a function belongs to; undefined when it is to be left out. */
export function groupOfFrame(frame: Frame): GroupName | undefined {
  for (let at: Frame | undefined = frame; at !== undefined; at = at.caller) {
    const { name, file, caller } = at;
    const rule = RULES.find((rule) =>
      (rule.name?.test(name) ?? true) &&
      (rule.file?.test(file) ?? true) &&
      (rule.callerFile?.test(caller?.file ?? "") ?? true)
    );
    if (rule !== undefined) return rule.group;
  }
  return "Other";
}

/** Microseconds for a request, by group. */
export type Times = { [group in GroupName]?: number };

/** A group's part in the time of a request with a session. */
export interface Share {
  group: GroupName;
  part: number;
  /** What is spent on the same in what stands beside it, as a part of that same time, too. */
  beside: number;
}

/** The parts of the groups, those included that nothing was seen of. */
export function sharesOf(times: Times, beside: Times): Share[] {
  const all = sum(times);
  return GROUPS.map((group) => ({
    group,
    part: (times[group] ?? 0) / all,
    beside: (beside[group] ?? 0) / all,
  }));
}

/** A request's time. */
export function sum(times: Times): number {
  return Object.values(times).reduce((all, time) => all + time, 0);
}
