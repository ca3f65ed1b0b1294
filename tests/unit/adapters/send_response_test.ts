import { assert, assertEquals, assertRejects } from "@std/assert";
import { type OpenSession, type SessionError, SessionMiddleware } from "@pagi/session";
import { expressSession } from "@pagi/session/express";
import { sendResponse } from "../../../adapters/_node/send_response.ts";
import { rig, SECRET } from "../../_kit/helpers.ts";
import { nodeResponse, slow } from "../../_kit/node_response.ts";

const GET = { method: "GET" };

/** A body whose chunks the test supplies. */
function openBody() {
  const canceled = Promise.withResolvers<unknown>();
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({
    start: (given) => void (controller = given),
    cancel: canceled.resolve,
  });
  const say = (text: string) => controller.enqueue(new TextEncoder().encode(text));
  return { body, canceled: canceled.promise, controller, say };
}

const turn = () => new Promise((resolve) => setTimeout(resolve));
const textOf = (sent: readonly unknown[]) =>
  sent.map((one) => one instanceof Uint8Array ? new TextDecoder().decode(one) : one);

Deno.test("sendResponse() sends the status, the headers and the body", async () => {
  const { res, headers, sent } = nodeResponse();
  res.setHeader("x-before", "stays");
  res.setHeader("vary", "Origin");
  res.setHeader("set-cookie", "a=1");
  const response = new Response("page", {
    status: 201,
    statusText: "Made",
    headers: [["set-cookie", "b=2"], ["set-cookie", "c=3"], ["vary", "Cookie"], ["x-own", "1"]],
  });
  await sendResponse(response, GET, res);
  assertEquals(textOf(sent), [201, "page", "end"]);
  assertEquals(Object.fromEntries(headers), {
    "x-before": "stays",
    "vary": "Origin, Cookie",
    "set-cookie": ["a=1", "b=2", "c=3"],
    "content-type": "text/plain;charset=UTF-8",
    "x-own": "1",
  });
  assertEquals(res.statusMessage, "Made");
});

Deno.test("sendResponse() sends no body for HEAD, 204 and 304, and cancels it", async () => {
  for (const [method, status] of [["HEAD", 200], ["GET", 204], ["GET", 304]] as const) {
    const { res, sent } = nodeResponse();
    const { body, canceled } = openBody();
    const response = new Response(status === 200 ? body : null, { status });
    await sendResponse(response, { method }, res);
    assertEquals(sent, [status, "end"]);
    if (method === "HEAD") await canceled;
    else await body.cancel();
  }
});

Deno.test("sendResponse() waits for the client when its buffer is full", async () => {
  const { res, sent } = nodeResponse();
  const { write } = res;
  res.write = (chunk) => (write.call(res, chunk), false);
  const { body, controller, say } = openBody();
  const done = sendResponse(new Response(body), GET, res);
  for (const text of ["one", "two"]) say(text);
  controller.close();
  await turn();
  assertEquals(textOf(sent), [200, "one"]);
  res.emit("drain");
  await turn();
  assertEquals(textOf(sent), [200, "one", "drain", "two"]);
  res.emit("drain");
  await done;
  assertEquals(textOf(sent), [200, "one", "drain", "two", "drain", "end"]);
});

Deno.test("sendResponse() cancels the body when the client has disconnected", async () => {
  for (const isFull of [false, true]) {
    const { res, sent } = nodeResponse();
    if (isFull) res.write = () => false;
    const { body, canceled, say } = openBody();
    const done = sendResponse(new Response(body), GET, res);
    if (isFull) say("one");
    await turn();
    res.emit("close");
    await Promise.all([done, canceled]);
    assert(!sent.includes("end"));
  }
  const { res, sent } = nodeResponse();
  Object.assign(res, { destroyed: true });
  const { body, canceled } = openBody();
  await sendResponse(new Response(body), GET, res);
  await canceled;
  assertEquals(sent, []);
});

Deno.test("sendResponse() rejects if the body fails, and never completes it", async () => {
  for (const isLate of [false, true]) {
    const { res, sent } = nodeResponse();
    let isClosed = false;
    const destroy = () => void (isClosed = true);
    Object.assign(res, { destroy });
    Object.defineProperty(res, "headersSent", { get: () => sent.length > 0 });
    const { body, controller, say } = openBody();
    const done = sendResponse(new Response(body), GET, res);
    if (isLate) {
      say("one");
      await turn();
    }
    controller.error(new RangeError("broken"));
    await assertRejects(() => done, RangeError, "broken");
    assertEquals([textOf(sent), isClosed], isLate ? [[200, "one"], true] : [[], false]);
  }
});

/** A middleware that has a response ready for every request. */
class Ready extends SessionMiddleware {
  override async open(request: Parameters<SessionMiddleware["open"]>[0]): Promise<OpenSession> {
    const open = await super.open(request);
    open.session.set("n", 1);
    return Object.assign(open, { response: new Response("ready", { status: 401 }) });
  }
}

Deno.test("expressSession() sends a response that is ready, with the session's cookie", async () => {
  for (const [store, isFailing] of [[rig().store, false], [slow("create"), true]] as const) {
    const { res, headers, sent } = nodeResponse();
    const session = expressSession(new Ready({ secret: SECRET, store, onEvent: () => {} }));
    const error = await new Promise((resolve) => {
      const { end } = res;
      res.end = (chunk) => (end.call(res, chunk), isFailing || resolve(undefined), res);
      session({ headers: {}, ...GET }, res, resolve);
    });
    if (isFailing) {
      assertEquals([(error as SessionError).code, sent[0]], ["ERR_SESSION_STORE", 503]);
    } else {
      assertEquals([textOf(sent), headers.has("set-cookie")], [[401, "ready", "end"], true]);
    }
  }
});
