/** Tests the adapter for AWS Lambda with events as AWS sends them. */
import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { type LambdaEvent, type LambdaResult, lambdaSession } from "@pagi/session/lambda";
import type { Session, SessionMiddleware } from "@pagi/session";
import { failing, idOf, rig } from "../../_kit/helpers.ts";

/** How a client's request becomes an event. */
interface Sender {
  event(headers: [name: string, value: string][]): LambdaEvent;
  /** The Set-Cookie headers as the client gets them. */
  cookies(result: LambdaResult): string[];
}

const first = (headers: [string, string][]) => Object.fromEntries(headers);
const all = (headers: [string, string][]) =>
  Object.fromEntries(headers.map(([name, value]) => [name, [value]]));
const fromMulti = ({ multiValueHeaders = {}, headers = {} }: LambdaResult) =>
  Object.entries({ ...headers, ...multiValueHeaders })
    .filter(([name]) => name.toLowerCase() === "set-cookie")
    .flatMap(([, values]) => [values].flat().map(String));

const version2 = (headers: [string, string][]) => ({
  version: "2.0",
  routeKey: "$default",
  rawPath: "/cart",
  rawQueryString: "a=1&b=2",
  cookies: headers.filter(([name]) => name === "cookie").flatMap(([, value]) => value.split("; ")),
  headers: {
    ...first(headers.filter(([name]) => name !== "cookie")),
    host: "shop.example",
    "x-forwarded-proto": "https",
  },
  requestContext: {
    accountId: "123456789012",
    domainName: "shop.example",
    http: { method: "POST", path: "/cart", protocol: "HTTP/1.1", sourceIp: "192.0.2.1" },
    stage: "$default",
  },
  isBase64Encoded: false,
});

const SENDERS: Record<string, Sender> = {
  "an HTTP API, payload format 2.0": {
    event: version2,
    cookies: ({ cookies = [] }) => cookies,
  },
  "a function URL": {
    event: (headers) => ({
      ...version2(headers),
      // A function URL sends the cookies in both places.
      headers: { ...first(headers), host: "abc.lambda-url.eu-central-1.on.aws" },
    }),
    cookies: ({ cookies = [] }) => cookies,
  },
  "a REST API, payload format 1.0": {
    event: (headers) => {
      const named = headers.map(([name, value]): [string, string] => [
        name.replace(/^c/, "C"),
        value,
      ]);
      return {
        resource: "/{proxy+}",
        path: "/cart",
        httpMethod: "POST",
        headers: { ...first(named), Host: "shop.example" },
        multiValueHeaders: { ...all(named), Host: ["shop.example"] },
        queryStringParameters: null,
        multiValueQueryStringParameters: null,
        requestContext: { domainName: "shop.example", path: "/prod/cart", stage: "prod" },
        isBase64Encoded: false,
      };
    },
    cookies: fromMulti,
  },
  "a load balancer": {
    event: (headers) => ({
      requestContext: { elb: { targetGroupArn: "arn:aws:elasticloadbalancing:…" } },
      httpMethod: "POST",
      path: "/cart",
      queryStringParameters: { a: "1" },
      headers: { ...first(headers), host: "shop.example" },
      isBase64Encoded: false,
    }),
    cookies: (result) => {
      assertEquals(result.multiValueHeaders, undefined);
      return fromMulti(result);
    },
  },
  "a load balancer with multi-value headers": {
    event: (headers) => ({
      requestContext: { elb: { targetGroupArn: "arn:aws:elasticloadbalancing:…" } },
      httpMethod: "POST",
      path: "/cart",
      multiValueHeaders: { ...all(headers), host: ["shop.example"] },
      isBase64Encoded: false,
    }),
    cookies: fromMulti,
  },
};

interface Data {
  n: number;
}

function count(sessions: SessionMiddleware, result?: unknown) {
  return lambdaSession(sessions)((_event: LambdaEvent, session) => {
    session.update("n", (n) => Number(n ?? 0) + 1);
    return result ?? { statusCode: 200, body: `Visit ${session.get("n")}` };
  });
}

for (const [name, { event, cookies }] of Object.entries(SENDERS)) {
  Deno.test(`lambdaSession() keeps a session behind ${name}`, async () => {
    const { sessions } = rig();
    const handler = count(sessions);
    const [sent, ...others] = cookies(await handler(event([]), {}));
    assertMatch(sent!, /^pagi_session=[0-9a-f]{64}; Path=\//);
    assertEquals(others, []);
    const cookie = `other=1; ${sent!.split(";")[0]}`;
    const second = await handler(event([["cookie", cookie]]), {});
    assertEquals([second.body, cookies(second)], ["Visit 2", []]);
  });

  Deno.test(`lambdaSession() keeps the app's own cookies behind ${name}`, async () => {
    const { sessions } = rig();
    const own = ["own=1", "two=2"];
    const result = event([]).httpMethod === undefined
      ? { statusCode: 201, cookies: own, headers: { "x-own": 1 }, body: "" }
      : {
        statusCode: 201,
        multiValueHeaders: { "set-cookie": own },
        headers: { "x-own": 1 },
        body: "",
      };
    const before = structuredClone(result);
    const answered = await count(sessions, result)(event([]), {});
    const sent = cookies(answered);
    assertEquals([answered.statusCode, sent.length], [201, 3]);
    assertEquals(sent.slice(0, 2), ["own=1", "two=2"]);
    const { headers = {}, multiValueHeaders = {} } = answered;
    assertEquals(String(headers["x-own"] ?? multiValueHeaders["x-own"]), "1");
    // The app may return the same object to the next client.
    assertEquals(result, before);
  });

  Deno.test(`lambdaSession() answers a store that fails behind ${name}`, async () => {
    const cookie = `pagi_session=${idOf("a")}`;
    const failures = [
      [failing("read"), [["cookie", cookie]], 503],
      [failing("create"), [], 503],
    ] as const;
    for (const [store, headers, status] of failures) {
      const { sessions } = rig({ store });
      const result = await count(sessions)(event([...headers] as [string, string][]), {});
      assertEquals([result.statusCode, cookies(result)], [status, []]);
      assertEquals(result.body, "Sessions are unavailable. Please try again.\n");
      const retry = result.headers?.["retry-after"] ?? result.multiValueHeaders?.["retry-after"];
      assertEquals(String(retry), "1");
    }
  });

  Deno.test(`lambdaSession() saves nothing when the handler throws behind ${name}`, async () => {
    const { sessions, store } = rig();
    const boom = new Error("boom");
    const handler = lambdaSession(sessions)((_event: LambdaEvent, session: Session) => {
      session.set("n", 1);
      throw boom;
    });
    assertEquals(await assertRejects(() => handler(event([]), {})), boom);
    assertEquals(store.size, 0);
  });
}

Deno.test("lambdaSession() sends the cookie of save() with the response to an exception", async () => {
  const { sessions, store } = rig();
  const handler = lambdaSession(sessions)(async (_event: LambdaEvent, session) => {
    session.set("n", 1);
    await session.save();
    throw new Error("boom");
  });
  const logged: unknown[] = [];
  const { error } = console;
  console.error = (thrown: unknown) => void logged.push(thrown);
  try {
    const result = await handler(version2([]), {});
    assertEquals([result.statusCode, result.cookies?.length], [500, 1]);
  } finally {
    console.error = error;
  }
  assertEquals([store.size, String(logged)], [1, "Error: boom"]);
});

Deno.test("lambdaSession() answers an error of a session that the handler throws", async () => {
  const { sessions } = rig();
  const handler = lambdaSession(sessions)(async () => {
    await sessions.update(idOf("a"), () => {});
  });
  assertEquals((await handler(version2([]), {})).statusCode, 409);
});

Deno.test("lambdaSession() completes what API Gateway would complete", async () => {
  const { sessions } = rig();
  for (const [value, body] of [["Hello", "Hello"], [{ n: 1 }, '{"n":1}'], [[1], "[1]"]] as const) {
    const result = await count(sessions, value)(version2([]), {});
    assertEquals([result.statusCode, result.body], [200, body]);
    assertEquals(result.headers!["content-type"], "application/json");
    assertEquals(result.cookies!.length, 1);
  }
});

Deno.test("lambdaSession() adds nothing for a visitor who only reads", async () => {
  const { sessions, store } = rig();
  const result = { statusCode: 200, headers: { "Content-Type": "text/html" }, body: "hi" };
  const handler = lambdaSession(sessions)((_event: LambdaEvent, session) => {
    session.get("n", 0);
    return result;
  });
  const answered = await handler(version2([]), {});
  assertEquals(answered, { ...result, headers: { "content-type": "text/html", vary: "Cookie" } });
  assertEquals(store.size, 0);
});

Deno.test("lambdaSession() sends a body of bytes that onError makes", async () => {
  const { sessions } = rig({
    store: failing("create"),
    onError: (_error, request) => {
      assertEquals([request.url, request.method], ["https://shop.example/cart?a=1&b=2", "POST"]);
      const headers = { "content-type": "image/png" };
      return new Response(new Uint8Array([137, 80]), { status: 503, headers });
    },
  });
  const result = await count(sessions)(version2([]), {});
  assertEquals([result.statusCode, result.body, result.isBase64Encoded], [503, "iVA=", true]);
});

Deno.test("lambdaSession() opens the session of a WebSocket API for reading", async () => {
  const { sessions } = rig();
  const [cookie] = (await count(sessions)(version2([]), {})).cookies!;
  const connect = {
    headers: { Cookie: cookie!.split(";")[0]!, Host: "ws.example" },
    multiValueHeaders: { Cookie: [cookie!.split(";")[0]!] },
    requestContext: { eventType: "CONNECT", routeKey: "$connect", connectionId: "x" },
  };
  const handler = lambdaSession(sessions)((_event: LambdaEvent, session) => {
    assertThrows(() => session.set("n", 2), Error, "read");
    return { statusCode: 200, body: String(session.get("n")) };
  });
  const result = await handler(connect, {});
  assertEquals([result.body, result.headers], ["1", undefined]);
  const message = { requestContext: { eventType: "MESSAGE", connectionId: "x" }, body: "hi" };
  const none = lambdaSession(sessions)((_event: LambdaEvent, session) => session.get("n", "none"));
  assertEquals((await none(message, {})).body, "none");
});

Deno.test("lambdaSession() sends two sessions side by side", async () => {
  const shop = rig().sessions;
  const admin = rig({ key: "admin" }).sessions;
  for (const { event, cookies } of Object.values(SENDERS)) {
    const inner = count(admin);
    const handler = lambdaSession(shop)((one: LambdaEvent, session, context) => {
      session.set("n", 1);
      return inner(one, context);
    });
    const names = cookies(await handler(event([]), {})).map((one) => one.split("=")[0]);
    assertEquals(names.sort(), ["pagi_session", "pagi_session_admin"]);
  }
});

Deno.test("lambdaSession() survives events that a client has formed", async () => {
  const events = [
    {},
    { headers: null, multiValueHeaders: null, queryStringParameters: null },
    { cookies: null, headers: null, requestContext: null },
    { rawPath: "//", headers: { cookie: "pagi_session" } },
    { rawPath: "//other.example:99999999/", headers: { host: "shop.example" } },
    { rawPath: "/%", cookies: ["pagi_session=%"] },
    { headers: { host: "a b" } },
    { headers: { "a b": "1" } },
    { headers: { "x-name": "\u00fc\u6f22" } },
    { headers: { "x-name": "a\r\nb" } },
    { headers: { cookie: undefined }, multiValueHeaders: { cookie: null } },
    { requestContext: { http: { method: "TRACE" } } },
    { requestContext: { http: { method: "G ET" } } },
  ] as unknown as LambdaEvent[];
  for (const event of events) {
    const name = JSON.stringify(event);
    assertEquals((await count(rig().sessions)(event, {})).body, "Visit 1", name);
    const failed = await count(rig({ store: failing("create") }).sessions)(event, {});
    assertEquals([failed.statusCode, failed.cookies], [503, undefined], name);
  }
});

Deno.test("lambdaSession() shows onError the URL that the client asked for", async () => {
  const host = { host: "shop.example" };
  const elb = { requestContext: { elb: {} }, httpMethod: "GET", path: "/a" };
  const events: [event: object, url: string][] = [
    [version2([]), "/cart?a=1&b=2"],
    [{ httpMethod: "GET", path: "//b", headers: host }, "//b"],
    [
      { httpMethod: "GET", path: "/a", headers: host, queryStringParameters: { q: "a b" } },
      "/a?q=a%20b",
    ],
    [
      {
        httpMethod: "GET",
        path: "/a",
        headers: host,
        queryStringParameters: { q: "2" },
        multiValueQueryStringParameters: { q: ["1", "2"] },
      },
      "/a?q=1&q=2",
    ],
    // A load balancer decodes nothing.
    [{ ...elb, headers: host, queryStringParameters: { q: "a%20b" } }, "/a?q=a%20b"],
    [
      {
        ...elb,
        multiValueHeaders: { host: ["shop.example"] },
        multiValueQueryStringParameters: { q: ["1", "2"] },
      },
      "/a?q=1&q=2",
    ],
  ];
  for (const [event, url] of events) {
    let seen = "";
    const onError = (_error: unknown, request: Request) => {
      seen = request.url;
      return new Response("down", { status: 503 });
    };
    await count(rig({ store: failing("create"), onError }).sessions)(event, {});
    assertEquals(seen, `https://shop.example${url}`);
  }
});

Deno.test("lambdaSession() accepts null in a response, and saves nothing with one that it cannot send", async () => {
  for (const event of [{ httpMethod: "GET" }, version2([])]) {
    const empty = {
      statusCode: 200,
      headers: null,
      multiValueHeaders: null,
      cookies: null,
      body: "",
    };
    const { sessions } = rig();
    const { cookies, multiValueHeaders } = await count(sessions, empty)(event, {});
    assertEquals((cookies ?? multiValueHeaders!["set-cookie"])!.length, 1);
    const { sessions: others, store } = rig();
    const wrong = { statusCode: 200, headers: { "x-name": "a\nb" }, body: "" };
    await assertRejects(() => count(others, wrong)(event, {}), TypeError);
    assertEquals((store as unknown as { size: number }).size, 0);
  }
});

Deno.test("lambdaSession() throws when it is made of something else", () => {
  assertThrows(() => lambdaSession({} as never), TypeError, "lambdaSession: it takes a Session");
  assertThrows(() => lambdaSession(rig().sessions)(1 as never), TypeError, "Cannot make a handler");
});
