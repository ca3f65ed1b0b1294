/**
 * Tests how `run.ts` chooses `@std`, with the output of real `deno` commands that ask servers on this
 * machine in place of JSR. Those tests need permissions. `deno task ok` has a step for them:
 *
 *     deno test --allow-run --allow-net=127.0.0.1 tests/_std/run_test.ts
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { askJsr, type Reply, sourceAfter, sourceNamed } from "./run.ts";

const isGranted = (permission: Deno.PermissionDescriptor) =>
  Deno.permissions.querySync(permission).state === "granted";

/** Registers a test that starts `deno` and servers, if the permissions for that are granted. */
function testOfDeno(name: string, fn: () => Promise<void>): void {
  const isPermitted = isGranted({ name: "run" }) && isGranted({ name: "net", host: "127.0.0.1" });
  if (isPermitted) Deno.test(name, fn);
}

/** Asks a registry other than JSR. */
function ask(url: string, timeoutMs?: number): Promise<Reply> {
  return askJsr({ env: { JSR_URL: url }, timeoutMs });
}

/** Asks a server that gives one response to every request. */
async function askServer(respond: () => Response): Promise<Reply> {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, respond);
  return await ask(`http://127.0.0.1:${server.addr.port}/`);
}

/** Returns a port of this machine that nothing listens on. */
function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

Deno.test("sourceNamed() returns the source when PAGI_STD names one", () => {
  assertEquals([sourceNamed("jsr"), sourceNamed("offline")], ["jsr", "offline"]);
});

Deno.test("sourceNamed() throws when PAGI_STD is misspelled", () => {
  for (const setting of ["JSR", "ofline", "jsr "]) {
    assertStringIncludes(assertThrows(() => sourceNamed(setting), Error).message, `"${setting}"`);
  }
});

Deno.test("sourceAfter() chooses JSR when it replied", () => {
  assertEquals(sourceAfter({ success: true, timedOut: false, stderr: "" }), "jsr");
});

Deno.test("sourceAfter() throws and quotes stderr when the failure is unknown", () => {
  const reply = { success: false, timedOut: false, stderr: "segmentation fault" };
  assertStringIncludes(assertThrows(() => sourceAfter(reply), Error).message, reply.stderr);
});

for (
  const [name, respond, cause] of [
    ["does not know the package", () => new Response("", { status: 404 }), /package not found/],
    ["replies with something else", () => new Response("<!doctype html>"), /expected value/],
    ["refuses the request", () => new Response("", { status: 403 }), /403 Forbidden/],
    ["has an error", () => new Response("", { status: 500 }), /500 Internal Server Error/],
    ["has no versions", () => Response.json({ versions: {} }), /version/],
  ] as const
) {
  testOfDeno(`sourceAfter() throws and names the cause when JSR ${name}`, async () => {
    const reply = await askServer(respond);
    assertEquals(reply.success, false);
    assertMatch(assertThrows(() => sourceAfter(reply), Error).message, cause);
  });
}

testOfDeno("sourceAfter() throws when the host of JSR does not speak TLS", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(),
  );
  const reply = await ask(`https://127.0.0.1:${server.addr.port}/`);
  assertThrows(() => sourceAfter(reply), Error);
});

testOfDeno(
  "sourceAfter() chooses the stand-ins when nothing listens on the port of JSR",
  async () => {
    assertEquals(sourceAfter(await ask(`http://127.0.0.1:${closedPort()}/`)), "offline");
  },
);

testOfDeno(
  "sourceAfter() chooses the stand-ins when the host name of JSR cannot be resolved",
  async () => {
    assertEquals(sourceAfter(await ask("http://jsr.invalid/")), "offline");
  },
);

testOfDeno(
  "sourceAfter() chooses the stand-ins when JSR accepts a connection and does not reply",
  async () => {
    // The system accepts the connection: no one has to call accept().
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const reply = await ask(`http://127.0.0.1:${port}/`, 2_000);
    assertEquals([reply.timedOut, sourceAfter(reply)], [true, "offline"]);
  },
);

/** Runs `run.ts` as a task does, with `PAGI_STD` and a registry. */
async function runTask(env: Record<string, string>) {
  const args = ["run", "--no-check", "--allow-run", "--allow-env=PAGI_STD"];
  const output = await new Deno.Command(Deno.execPath(), {
    args: [...args, `${import.meta.dirname}/run.ts`, "eval", "console.log('it ran')"],
    env: { NO_COLOR: "1", PAGI_STD: "", ...env },
  }).output();
  const [stdout, stderr] = [output.stdout, output.stderr].map((b) => new TextDecoder().decode(b));
  return { code: output.code, stdout: stdout!, stderr: stderr! };
}

testOfDeno("run.ts exits with an error and runs nothing when PAGI_STD is misspelled", async () => {
  const { code, stdout, stderr } = await runTask({ PAGI_STD: "ofline" });
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^error: Cannot choose @std: PAGI_STD is "ofline"/);
});

testOfDeno(
  "run.ts exits with an error and runs nothing when JSR was reached and failed",
  async () => {
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => new Response("", { status: 404 }),
    );
    const JSR_URL = `http://127.0.0.1:${server.addr.port}/`;
    const { code, stdout, stderr } = await runTask({ JSR_URL });
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "JSR package not found: @std/assert");
  },
);

testOfDeno("run.ts runs the subcommand with the stand-ins when JSR cannot be reached", async () => {
  const JSR_URL = `http://127.0.0.1:${closedPort()}/`;
  const { code, stdout, stderr } = await runTask({ JSR_URL });
  assertEquals([code, stdout], [0, "it ran\n"]);
  assertStringIncludes(stderr, "the stand-ins in tests/_std");
});
