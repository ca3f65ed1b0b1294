/** Load on a server: wrk where it is installed, else autocannon from npm. */
import type { ServerStarted } from "./server.ts";

/** What came of it. */
export interface Load {
  /** Requests that were answered. */
  requests: number;
  /** Answers in a second. */
  perSecond: number;
  /** Requests that failed, or were answered with anything but a 2xx. */
  failed: number;
}

/** Makes requests for some seconds, over some connections at once. */
export type Loader = (server: ServerStarted, seconds: number, connections: number) => Promise<Load>;

/** Prepares the requests once, and prints what wrk has counted as JSON. */
const WRK_SCRIPT = `
local requests, at = {}, 0
function init(args)
  for line in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", "/", { ["Cookie"] = line, ["Host"] = "localhost" })
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
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

const wrk: Loader = async ({ port, cookies }, seconds, connections) => {
  const folder = await Deno.makeTempDir({ prefix: "pagi-bench-" });
  try {
    await Deno.writeTextFile(`${folder}/load.lua`, WRK_SCRIPT);
    await Deno.writeTextFile(`${folder}/cookies`, cookies.join("\n"));
    const text = await run("wrk", [
      "--threads=1",
      `--connections=${connections}`,
      `--duration=${seconds}s`,
      `--script=${folder}/load.lua`,
      `http://127.0.0.1:${port}/`,
      "--",
      `${folder}/cookies`,
    ]);
    return JSON.parse(/^RESULT (.+)$/m.exec(text)![1]!);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
};

const autocannon: Loader = async ({ port, cookies }, seconds, connections) => {
  const program = new URL("autocannon.ts", import.meta.url).pathname;
  const node = new URL("node_modules/.bin/node", import.meta.url).pathname;
  const options = JSON.stringify({ port, cookies, seconds, connections });
  return JSON.parse(await run(node, [program, options]));
};

async function run(path: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(path, { args }).output();
  const text = new TextDecoder().decode(stdout);
  if (code !== 0) {
    throw new Error(`${path} ended with ${code}: ${new TextDecoder().decode(stderr)}`);
  }
  return text;
}
