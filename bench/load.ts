/** Load on a server: wrk where it is installed, else autocannon from npm. */

/** What came of it. */
export interface Load {
  /** Requests that were answered. */
  requests: number;
  /** Answers in a second. */
  perSecond: number;
  /** Requests that failed, or were answered with anything but what they have to. */
  failed: number;
}

/** What is asked of a server. */
export interface LoadOptions {
  port: number;
  /** The Cookie headers that requests bring in turn; none where there are none. */
  cookies: readonly string[];
  connections: number;
  /** For how long, in milliseconds. */
  ms: number;
  /**
   * What each answer has to say, where each has to bring a new cookie, too: it is used once, and the
   * one that comes is used later. Any answer that lacks one of the two counts as failed.
   */
  followed?: string;
}

/** Makes requests. */
export type Loader = (options: LoadOptions) => Promise<Load>;

/** Prepares the requests once. */
const WRK_ROUND = `
local requests, at = {}, 0
function init(args)
  for line in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", "/", { ["Cookie"] = line, ["Host"] = "localhost" })
  end
  if #requests == 0 then requests[1] = wrk.format("GET", "/", { ["Host"] = "localhost" }) end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
`;

/** Follows each cookie to the next: a queue, longer than there are connections. */
const WRK_FOLLOW = `
local cookies, first, last, said = {}, 1, 0
function init(args)
  for line in io.lines(args[1]) do
    last = last + 1
    cookies[last] = line
  end
  said = args[2]
end
function request()
  local cookie = cookies[first]
  cookies[first] = nil
  first = first + 1
  return wrk.format("GET", "/", { ["Cookie"] = cookie, ["Host"] = "localhost" })
end
function response(status, headers, body)
  local pair
  for name, value in pairs(headers) do
    if name:lower() == "set-cookie" then pair = value:match("^[^;]+") end
  end
  if pair == nil or body ~= said then
    wrong = wrong + 1
  else
    last = last + 1
    cookies[last] = pair
  end
end
`;

/** Prints what wrk has counted as JSON; what a thread has counted is asked for by name. */
const WRK_REPORT = `
wrong = 0
local threads = {}
function setup(thread)
  threads[#threads + 1] = thread
end
function done(summary)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  for _, thread in ipairs(threads) do failed = failed + thread:get("wrong") end
  io.write(string.format('\\nRESULT {"requests":%d,"perSecond":%f,"failed":%d}\\n',
    summary.requests, summary.requests * 1e6 / summary.duration, failed))
end
`;

/** The load generator that there is, and its name. */
export async function findLoader(): Promise<{ name: string; load: Loader }> {
  try {
    await new Deno.Command("wrk", { args: ["--version"] }).output();
    return { name: "wrk", load: wrk };
  } catch {
    return { name: "autocannon", load: autocannon };
  }
}

const wrk: Loader = ({ port, cookies, connections, ms, followed }) =>
  inFolder(async (folder) => {
    const requests = followed === undefined ? WRK_ROUND : WRK_FOLLOW;
    await Deno.writeTextFile(`${folder}/load.lua`, WRK_REPORT + requests);
    await Deno.writeTextFile(`${folder}/cookies`, cookies.join("\n"));
    const process = start("wrk", [
      // One thread: each has its own cookies.
      "--threads=1",
      `--connections=${connections}`,
      // It counts in seconds; told to stop, it says what it has done until then.
      `--duration=${Math.ceil(ms / 1000) + 1}s`,
      `--script=${folder}/load.lua`,
      `http://127.0.0.1:${port}/`,
      "--",
      `${folder}/cookies`,
      ...(followed === undefined ? [] : [followed]),
    ]);
    const timer = setTimeout(() => process.kill("SIGINT"), ms);
    try {
      const text = await outputOf("wrk", process);
      return JSON.parse(/^RESULT (.+)$/m.exec(text)![1]!);
    } finally {
      clearTimeout(timer);
    }
  });

const autocannon: Loader = (options) =>
  inFolder(async (folder) => {
    const program = new URL("autocannon.ts", import.meta.url).pathname;
    const node = new URL("node_modules/.bin/node", import.meta.url).pathname;
    // As an argument, a thousand cookies are too long for the system.
    const file = `${folder}/options.json`;
    await Deno.writeTextFile(file, JSON.stringify(options));
    return JSON.parse(await outputOf(node, start(node, [program, file])));
  });

/** Calls `use` with a folder for its files, which goes afterwards. */
async function inFolder<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await Deno.makeTempDir({ prefix: "pagi-bench-" });
  try {
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function start(path: string, args: string[]): Deno.ChildProcess {
  return new Deno.Command(path, { args, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
}

async function outputOf(path: string, process: Deno.ChildProcess): Promise<string> {
  const { code, stdout, stderr } = await process.output();
  const text = new TextDecoder().decode(stdout);
  if (code !== 0) {
    throw new Error(`${path} ended with ${code}: ${new TextDecoder().decode(stderr)}`);
  }
  return text;
}
