/**
 * Load by autocannon: `autocannon.ts OPTIONS`, as JSON, in Node. A process of its own: the load has
 * to have a processor of its own, too.
 *
 * @module
 */
import process from "node:process";
import autocannon from "autocannon";
import type { Load, LoadOptions } from "./load.ts";

const { port, cookies, connections, ms, followed }: LoadOptions = JSON.parse(process.argv[2]!);
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
const result = await autocannon({
  url: `http://127.0.0.1:${port}/`,
  duration: ms / 1000,
  connections,
  requests: followed !== undefined
    ? [following]
    : cookies.length === 0
    ? [{}]
    : cookies.map((cookie) => ({ headers: { cookie } })),
});
const load: Load = {
  requests: result.requests.total,
  perSecond: result.requests.total / result.duration,
  failed: result.errors + result.non2xx + wrong,
};
console.log(JSON.stringify(load));
