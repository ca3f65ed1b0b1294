/**
 * Load by autocannon: `autocannon.ts OPTIONS`, as JSON, in Node. A process of its own: the load has
 * to have a processor of its own, too.
 *
 * @module
 */
import process from "node:process";
import autocannon from "autocannon";
import type { Load } from "./load.ts";

const { port, cookies, seconds, connections } = JSON.parse(process.argv[2]!);
const result = await autocannon({
  url: `http://127.0.0.1:${port}/`,
  duration: seconds,
  connections,
  requests: cookies.map((cookie: string) => ({ headers: { cookie } })),
});
const load: Load = {
  requests: result.requests.total,
  perSecond: result.requests.total / result.duration,
  failed: result.errors + result.non2xx,
};
console.log(JSON.stringify(load));
