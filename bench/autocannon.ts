/**
 * Load by autocannon: `autocannon.ts FILE`, which has the options as JSON, in Node. A process of its
 * own: the load has to have a processor of its own, too.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import autocannon from "autocannon";
import type { Load, LoadOptions } from "./load.ts";

const { port, cookies, connections, ms, followed }: LoadOptions = JSON.parse(
  readFileSync(process.argv[2]!, "utf8"),
);
const SAMPLE_MS = 50;
const queue = [...cookies];
let wrong = 0;

/** As they were sent: two of a name are an array. */
interface Headers {
  [name: string]: string | string[];
}

/** Each request takes a cookie, and the answer hands back the next. */
const following = {
  setupRequest: (request: object) => ({ ...request, headers: { cookie: queue.shift() } }),
  onResponse(_status: number, body: string, _context: object, headers: Headers) {
    const found = Object.entries(headers).find(([name]) => name.toLowerCase() === "set-cookie");
    const pair = [found?.[1] ?? []].flat().at(-1)?.split(";", 1)[0];
    if (pair === undefined || body !== followed) wrong++;
    else queue.push(pair);
  },
};
let started = 0;

/** What one more connection asks for: every n-th cookie, so that all come round at about the same pace. */
function nextRequests(): object[] {
  if (followed !== undefined) return [following];
  if (cookies.length === 0) return [{}];
  const at = started++;
  const mine = cookies.filter((_, index) => index % connections === at);
  return mine.map((cookie) => ({ headers: { cookie } }));
}

const result = await autocannon({
  url: `http://127.0.0.1:${port}/`,
  duration: ms / 1000,
  // It ends with a sample: by itself it takes one a second.
  sampleInt: SAMPLE_MS,
  connections,
  setupClient(client: { setRequests(requests: object[]): void }) {
    client.setRequests(nextRequests());
  },
});
const load: Load = {
  requests: result.requests.total,
  perSecond: result.requests.total / result.duration,
  failed: result.errors + result.non2xx + wrong,
};
console.log(JSON.stringify(load));
