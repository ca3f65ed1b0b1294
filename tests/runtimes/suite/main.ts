/** The suite in Deno, Bun and Node. The process has to end by itself when it is through. */
import { SessionMiddleware } from "@pagi/session";
import { A_DAY, type Cases, type Data, SECRET } from "./_kit.ts";
import { runtime, serve } from "./_serve.ts";
import { tap } from "./_tap.ts";
import { all } from "./all.ts";
import { doors } from "./doors.ts";
import { app, atOnceOverHttp, overHttp } from "./http.ts";
import type { Modules } from "./subpaths.ts";

export async function main(modules: Modules): Promise<void> {
  console.log(`# ${runtime}`);
  await print(all(modules));
  const sessions = new SessionMiddleware<Data>({ secret: SECRET, storeTimeout: A_DAY });
  const server = await serve(app(sessions));
  const url = `http://127.0.0.1:${server.port}/`;
  // The doors once more: a server may have put classes of its own in the place of the runtime's.
  await print({ ...overHttp(url), ...atOnceOverHttp(url), ...doors });
  await server.close();
}

async function print(cases: Cases): Promise<void> {
  for await (const line of tap(cases)) console.log(line);
}
