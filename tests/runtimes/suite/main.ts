/** Runs the suite in Deno, Bun and Node. The process must end by itself after the last case. */
import { SessionMiddleware } from "@pagi/session";
import { A_DAY, type Cases, type Data, SECRET } from "./_kit.ts";
import { runtime, serve } from "./_serve.ts";
import { tap } from "./_tap.ts";
import { all } from "./all.ts";
import { entryPoints } from "./entry_points.ts";
import { app, concurrentOverHttp, overHttp } from "./http.ts";
import type { Modules } from "./subpaths.ts";

export async function main(modules: Modules): Promise<void> {
  console.log(`# ${runtime}`);
  await print(all(modules));
  const sessions = new SessionMiddleware<Data>({
    secret: SECRET,
    storeTimeout: A_DAY,
    onEvent: () => {},
  });
  const server = await serve(app(sessions));
  const url = `http://127.0.0.1:${server.port}/`;
  // Run the entry points again: a server may have replaced classes of the runtime with its own.
  await print({ ...overHttp(url), ...concurrentOverHttp(url), ...entryPoints });
  await server.close();
}

async function print(cases: Cases): Promise<void> {
  for await (const line of tap(cases)) console.log(line);
}
