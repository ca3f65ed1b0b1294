/** The path of a request stays short: how many calls lie between `run` and the store. */
import { assert, assertEquals } from "@std/assert";
import { MemoryStore, SessionMiddleware } from "../mod.ts";
import type { ReplaceOptions } from "../mod.ts";

/** The names of the functions between `run` and the store, both excluded, innermost first. */
type Path = string[];

/** Notes the path by which each method was reached. */
class TracingStore extends MemoryStore {
  readonly paths: Record<string, Path> = {};

  override read(id: string) {
    this.paths.read = currentPath();
    return super.read(id);
  }

  override replace(id: string, text: string, options: ReplaceOptions) {
    this.paths.replace = currentPath();
    return super.replace(id, text, options);
  }
}

function currentPath(): Path {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  const { stack } = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  const names = stack!.split("\n").slice(1).map((line) =>
    /^ +at (?:async |new )?([^( ]+)/.exec(line)?.[1] ?? line
  );
  const isRun = (name: string) => name.endsWith("SessionMiddleware.run");
  const end = names.findIndex(isRun);
  assert(end > 0, `run() is not on the stack:\n${stack}`);
  // Without currentPath() and the store's method.
  return names.slice(2, end).map((name) => name.split(".").at(-1)!);
}

/** An app with one client. The path is that of a request whose handler and store are synchronous. */
function tracedApp() {
  const now = () => 1_700_000_000_000;
  const store = new TracingStore({ now });
  const sessions = new SessionMiddleware<{ visits: number }>({
    secret: "0123456789abcdef0123456789abcdef",
    store,
    now,
  });
  let cookie = "";
  return {
    store,
    async visit(write: boolean) {
      const headers: HeadersInit = cookie === "" ? {} : { cookie };
      const response = await sessions.run(
        new Request("http://localhost/", { headers }),
        (session) => {
          if (write) session.update("visits", (visits = 0) => visits + 1);
          return new Response(`${session.get("visits", 0)}`);
        },
      );
      const set = response.headers.getSetCookie()[0];
      if (set !== undefined) cookie = set.slice(0, set.indexOf(";"));
      return await response.text();
    },
  };
}

Deno.test("run() reaches the store's read() through at most 6 calls", async () => {
  const { store, visit } = tracedApp();
  await visit(true);
  assertEquals(await visit(false), "1");
  const path = store.paths.read!;
  assert(path.length <= 6, `${path.length} calls: ${path.join(" < ")}`);
  assertEquals(path.at(-1), "serveFetch");
  for (const name of ["begin", "identify", "find", "read"]) assert(path.includes(name), `${path}`);
});

Deno.test("run() reaches the store's replace() through at most 8 calls", async () => {
  const { store, visit } = tracedApp();
  await visit(true);
  assertEquals(await visit(true), "2");
  const path = store.paths.replace!;
  assert(path.length <= 8, `${path.length} calls: ${path.join(" < ")}`);
  assertEquals(path.at(-1), "serveFetch");
  for (const name of ["commit", "save", "compareAndSwap", "replace"]) {
    assert(path.includes(name), `${path}`);
  }
});
