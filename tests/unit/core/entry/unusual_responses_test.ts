/** Every kind of Response that a handler can return, or throw. */
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { PassThrough, Readable } from "node:stream";
import { SessionMiddleware } from "@pagi/session";
import { requestWith, rig } from "../../../_kit/helpers.ts";

const encoder = new TextEncoder();
const cookies = (response: Response) =>
  response.headers.getSetCookie().filter((one) => one.startsWith("pagi_session="));

/** A stream of chunks. */
const streamOf = (...chunks: string[]) =>
  ReadableStream.from(chunks.map((one) => encoder.encode(one)));

class Page extends Response {
  readonly title = "page";
}

/** A Response of another library, as that of node-fetch: its body is a stream of Node. */
class ForeignResponse {
  readonly status: number;
  readonly statusText = "";
  readonly headers: Headers;
  body: Readable | null;
  bodyUsed = false;

  constructor(body: Readable | null, status = 200, headers = new Headers()) {
    this.body = body;
    this.status = status;
    this.headers = headers;
  }

  clone() {
    if (this.body === null) {
      return new ForeignResponse(null, this.status, new Headers(this.headers));
    }
    const [one, other] = [new PassThrough(), new PassThrough()];
    this.body.pipe(one);
    this.body.pipe(other);
    this.body = one;
    return new ForeignResponse(other, this.status, new Headers(this.headers));
  }

  async text() {
    let text = "";
    for await (const chunk of this.body ?? []) text += chunk;
    return text;
  }
}

const typed = { "content-type": "text/plain" };
const TWO: [string, string][] = [["set-cookie", "a=1"], ["set-cookie", "b=2; Path=/"]];
const LONG = "x".repeat(200_000);

/** Responses that carry a cookie, each with its status and its body. */
const KINDS: Record<string, [make: () => unknown, status: number, body: string]> = {
  "a text": [() => new Response("hi"), 200, "hi"],
  "no body": [() => new Response(null), 200, ""],
  "an empty body": [() => new Response(""), 200, ""],
  "Response.json()": [() => Response.json({ a: 1 }), 200, '{"a":1}'],
  "Response.redirect()": [() => Response.redirect("http://localhost/in", 307), 307, ""],
  "a 204": [() => new Response(null, { status: 204 }), 204, ""],
  "a 205": [() => new Response(null, { status: 205 }), 205, ""],
  "a 304": [() => new Response(null, { status: 304, headers: { etag: '"1"' } }), 304, ""],
  "an error with a body": [() => new Response("gone", { status: 410 }), 410, "gone"],
  "a stream": [() => new Response(streamOf("a", "b")), 200, "ab"],
  "a stream with a type": [() => new Response(streamOf("a", "b"), { headers: typed }), 200, "ab"],
  "bytes": [() => new Response(encoder.encode("hi")), 200, "hi"],
  "a Blob": [() => new Response(new Blob(["hi"], { type: "text/plain" })), 200, "hi"],
  "a form": [() => new Response(new URLSearchParams("a=1")), 200, "a=1"],
  "a clone": [() => new Response("hi").clone(), 200, "hi"],
  "the original of a clone": [
    () => {
      const response = new Response("hi");
      response.clone().body?.cancel();
      return response;
    },
    200,
    "hi",
  ],
  "a subclass": [() => new Page("hi"), 200, "hi"],
  "a subclass without a body": [() => new Page(null), 200, ""],
  "a fetched response": [() => fetch("data:text/plain,hi"), 200, "hi"],
  "a promise of a promise": [() => Promise.resolve(Promise.resolve(new Response("hi"))), 200, "hi"],
  "a frozen response": [() => Object.freeze(new Response("hi", { headers: typed })), 200, "hi"],
  "a frozen response without a body": [() => Object.freeze(new Response(null)), 200, ""],
  "a sealed response": [() => Object.seal(new Response("hi", { headers: typed })), 200, "hi"],
  "a Proxy": [
    () =>
      new Proxy(new Response("hi"), {
        get: (target, name) => {
          const value = Reflect.get(target, name, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      }),
    200,
    "hi",
  ],
  "a response of another library": [
    () => new ForeignResponse(Readable.from([LONG, LONG]), 201),
    201,
    LONG + LONG,
  ],
  "a response of another library without a body": [
    () => new ForeignResponse(null, 404, new Headers(typed)),
    404,
    "",
  ],
};

for (const [kind, [make, status, body]] of Object.entries(KINDS)) {
  Deno.test(`run() sends the cookie with ${kind}, its own headers and its body`, async () => {
    const { sessions } = rig();
    const visit = (made: unknown) =>
      sessions.run(requestWith(), (session) => {
        session.set("n", 1);
        return made as Response;
      });
    const made = await make();
    // Deno cannot read those of a frozen one.
    const own = Object.isFrozen(made) ? [] : [...(made as Response).headers];
    const response = await visit(made);
    assertEquals([response.status, cookies(response).length], [status, 1]);
    for (const [name, value] of own) assertEquals(response.headers.get(name), value);
    assertEquals(await response.text(), body);
  });

  Deno.test(`run() gives no other client the cookie when it gets ${kind} twice`, async () => {
    for (const [first, second] of [[true, true], [true, false], [false, true]]) {
      const { sessions } = rig();
      const made = await make();
      const visit = async (isWrite: boolean) => {
        try {
          return await sessions.run(requestWith(), (session) => {
            if (isWrite) session.set("n", 1);
            return made as Response;
          });
        } catch (error) {
          assert(error instanceof TypeError && error.message.includes("Response"), String(error));
          return undefined;
        }
      };
      const responses = [await visit(first!), await visit(second!)];
      // Looked at when both are on their way.
      const sent = responses.map((one) => one && cookies(one));
      if (!first) assertEquals(sent[0], []);
      if (!second) assertEquals(sent[1] ?? [], []);
      if (first && second) {
        assertEquals(sent[0]!.length, 1);
        assert(sent[1] === undefined || (sent[1].length === 1 && sent[1][0] !== sent[0]![0]));
      }
      // The first client's body is still there if the second one was refused.
      if (responses[1] === undefined) assertEquals(await responses[0]!.text(), body);
      for (const response of responses) await response?.text().catch(() => {});
    }
  });
}

Deno.test("run() keeps all Set-Cookie headers of a response that it copies", async () => {
  for (const freeze of [(one: Response) => one, (one: Response) => Object.freeze(one)]) {
    const { answer } = rig();
    const response = await answer(freeze(new Response(null, { headers: TWO })));
    assertEquals(response.headers.getSetCookie().slice(0, 2), ["a=1", "b=2; Path=/"]);
    assertEquals(cookies(response).length, 1);
  }
});

Deno.test("run() copies a frozen response for each client, whether it uses the session or not", async () => {
  const { sessions, answer } = rig();
  const page = Object.freeze(new Response("hi", { headers: typed }));
  const responses = [
    await answer(page),
    await sessions.run(requestWith(), () => page),
    await answer(page),
  ];
  assertEquals(responses.map((one) => cookies(one).length), [1, 0, 1]);
  for (const response of responses) assertEquals(await response.text(), "hi");
});

Deno.test("run() passes Response.error() on as it is, and emits an event when a header is lost", async () => {
  const { sessions, answer, events } = rig();
  const error = Response.error();
  assertStrictEquals(await answer(error), error);
  assertEquals(events, ["headers-dropped"]);
  assertStrictEquals(await sessions.run(requestWith(), () => error), error);
  assertEquals(events.length, 1);
});

Deno.test("run() does not read a stream before it is sent, and passes its error and its cancellation on", async () => {
  for (const headers of [{}, typed]) {
    for (const status of [200, 404]) {
      let pulls = 0;
      let reason: unknown;
      const stream = (fail: boolean) =>
        new ReadableStream({
          pull(controller) {
            if (++pulls > 3 && fail) throw new Error("upstream failed");
            controller.enqueue(encoder.encode("x"));
          },
          cancel: (given) => void (reason = given),
        }, { highWaterMark: 0 });
      const answer = (fail: boolean) =>
        rig().answer(new Response(stream(fail), { headers, status }));
      const response = await answer(true);
      assert(pulls <= 1, `${pulls} chunks were read`);
      await assertRejects(() => response.text(), Error, "upstream failed");
      pulls = 0;
      const reader = (await answer(false)).body!.getReader();
      await reader.read();
      await reader.cancel("client left");
      assert([reason].flat().includes("client left"), String(reason));
    }
  }
});

Deno.test("run() throws an error that says what to do when the response cannot be sent or copied", async () => {
  const fetched = async () => {
    const response = await fetch("data:text/plain,hi");
    await response.text();
    return response;
  };
  const locked = async () => {
    const { body, headers } = await fetch("data:text/plain,hi");
    const reader = body!.getReader();
    const response = new ForeignResponse(null, 200, headers);
    Object.assign(response, { body });
    await reader.read();
    await reader.read();
    return response;
  };
  const odd = () => new ForeignResponse(null, 999);
  const foreign = () =>
    new ForeignResponse(Readable.from(["x"]), 200, Response.redirect("http://localhost/").headers);
  for (const make of [fetched, locked, odd, foreign]) {
    const { answer } = rig();
    const made = await make();
    await assertRejects(() => answer(made as Response), TypeError, "return a new one");
  }
});

Deno.test("run() says what the handler returned when it is not a Response, and saves nothing", async () => {
  for (
    const [wrong, what] of [
      [undefined, "undefined"],
      [null, "null"],
      ["text", "string"],
      [200, "number"],
      [() => new Response(), "function"],
      [{ status: 200 }, "another object"],
      [requestWith({ cookie: "a=1" }), "another object"],
      [Object.freeze({ status: 200 }), "a frozen object"],
      [Object.create(Response.prototype), "another object"],
    ] as const
  ) {
    const { sessions, store } = rig();
    const visit = () =>
      sessions.run(requestWith(), (session) => {
        session.set("n", 1);
        return wrong as Response;
      });
    await assertRejects(visit, TypeError, `it returned ${what}`);
    assertEquals(store.size, 0);
  }
});

Deno.test("a Response that the handler throws is passed on as it is, and nothing is saved", async () => {
  const { sessions, store } = rig();
  const thrown = new Response("not found", { status: 404 });
  const handler = sessions.handler((_request, session) => {
    session.set("n", 1);
    throw thrown;
  });
  const caught = await handler(requestWith()).catch((error) => error);
  assertStrictEquals(caught, thrown);
  assertEquals([cookies(thrown), store.size, await thrown.text()], [[], 0, "not found"]);
});

Deno.test("run() cancels the body of a response that it cannot copy", async () => {
  let isCancelled = false;
  const stream = new ReadableStream({ cancel: () => void (isCancelled = true) });
  const { answer } = rig();
  const odd = new ForeignResponse(null, 999);
  Object.assign(odd, { body: stream, headers: Response.redirect("http://localhost/").headers });
  await assertRejects(() => answer(odd as never), TypeError, "return a new one");
  assert(isCancelled);
});

Deno.test("run() sends a frozen text, or says that the runtime cannot copy it", async () => {
  const { answer, store } = rig();
  try {
    const response = await answer(Object.freeze(new Response("hi")));
    assertEquals([cookies(response).length, await response.text()], [1, "hi"]);
  } catch (error) {
    assert(error instanceof TypeError && error.message.includes("a frozen object"), String(error));
    assertEquals(store.size, 0);
  }
});

Deno.test("several middlewares add their cookies to the response to one request", async () => {
  const server = (cookieName: string) =>
    new SessionMiddleware({ secret: "s", cookieName, onEvent: () => {} });
  const [outer, inner] = [server("outer"), server("inner")];
  const visit = (request: Request, response: Response, isOuter: boolean, isInner: boolean) =>
    outer.run(request, (session) => {
      if (isOuter) session.set("n", 1);
      return inner.run(request, (session) => {
        if (isInner) session.set("n", 1);
        return response;
      });
    });
  const kinds = [
    () => new Response("hi"),
    () => new Response(null, { status: 404 }),
    () => Response.redirect("http://localhost/"),
  ];
  for (const make of kinds) {
    for (const [isOuter, isInner] of [[true, true], [true, false], [false, true]] as const) {
      const response = make();
      const sent = await visit(requestWith(), response, isOuter, isInner);
      const names = sent.headers.getSetCookie().map((one) => one.split("=")[0]);
      assertEquals(names, [...isInner ? ["inner"] : [], ...isOuter ? ["outer"] : []]);
      const others: Response[] = [];
      try {
        others.push(await outer.run(requestWith(), () => response));
        others.push(await visit(requestWith(), response, true, true));
      } catch (error) {
        assert(error instanceof TypeError, String(error));
      }
      for (const other of others) {
        const values = other.headers.getSetCookie();
        assert(values.every((one) => !sent.headers.getSetCookie().includes(one)), `${values}`);
      }
      assertEquals(sent.headers.getSetCookie().length, names.length);
    }
  }
});
