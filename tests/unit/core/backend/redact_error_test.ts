import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { redactError } from "../../../../core/backend/redact_error.ts";
import { toAsciiText } from "../../../../base/utf8.ts";
import { stringsIn } from "../../../_kit/dump.ts";
import { idOf } from "../../../_kit/helpers.ts";

const ID = "0123456789abcdef".repeat(4);
const TEXT = '{"_created":1700000000,"card":"4111 1111 1111 1111"}';
const texts = [ID, TEXT];
const WITHHELD = "(withheld: it contains the session's ID or data)";

/** All that a logger could make of an error. */
const all = (error: unknown): string =>
  error instanceof Error
    ? [error.name, error.message, error.stack, all(error.cause), ...stringsIn(error)].join("\n")
    : stringsIn(error).join("\n");

function assertSilent(error: unknown): void {
  const told = all(error);
  for (const word of [ID, idOf("b"), "4111", "_created"]) assert(!told.includes(word), told);
}

Deno.test("redactError() returns the same error when it quotes nothing", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:6379"), {
    errno: -111,
    code: "ECONNREFUSED",
    syscall: "connect",
    address: "127.0.0.1",
    port: 6379,
  });
  for (
    const error of [
      refused,
      new Error("boom", { cause: refused }),
      new AggregateError([refused, refused], "all of them"),
      new DOMException("too late", "TimeoutError"),
      "a string",
      undefined,
    ]
  ) {
    assertStrictEquals(redactError(error, texts), error);
  }
});

Deno.test("redactError() removes the properties that ioredis and SQL drivers add to errors", () => {
  class ReplyError extends Error {
    override name = "ReplyError";
    command = { name: "evalsha", args: ["5f…", "1", `pagi:session:${ID}`, TEXT] };
  }
  const postgres = Object.assign(new Error("new row violates a check constraint"), {
    code: "23514",
    severity: "ERROR",
    detail: `Failing row contains (${ID}, abc, 1700000000, 1700003600, ${TEXT.slice(0, 40)}...).`,
  });
  const hidden = Object.defineProperty(new Error("relation does not exist"), "parameters", {
    value: [ID, TEXT],
    enumerable: false,
  });
  for (const error of [new ReplyError("OOM command not allowed"), postgres, hidden]) {
    const told = redactError(error, texts) as Error & { code?: string; severity?: string };
    assertSilent(told);
    assertInstanceOf(told, Error);
    assertEquals([told.name, told.message], [error.name, error.message]);
    // It still says where it happened.
    assert(told.stack!.includes("redact_error_test.ts"));
    if (error === postgres) assertEquals([told.code, told.severity], ["23514", "ERROR"]);
  }
});

Deno.test("redactError() withholds a message when it or a cause quotes", () => {
  const cause = new Error(`no such key: ${ID}, but ${idOf("b")}`);
  const quoting = `ERR unknown command, with args: '${ID}' '${TEXT.slice(20)}' here`;
  const told = redactError(new Error(quoting, { cause }), texts) as Error;
  assertSilent(told);
  assertEquals([told.message, (told.cause as Error).message], [WITHHELD, WITHHELD]);
  const outer = redactError(new Error("cannot save", { cause }), texts) as Error;
  assertEquals([outer.message, (outer.cause as Error).message], ["cannot save", WITHHELD]);
});

Deno.test("redactError() withholds a message when it quotes a record in hex", () => {
  const hex = new TextEncoder().encode(TEXT).toHex();
  for (const digits of [hex, hex.toUpperCase()]) {
    const told = redactError(new Error(`no text: "\\x${digits}"`), texts) as Error;
    assertEquals(told.message, WITHHELD);
  }
});

Deno.test("redactError() removes lines of the stack when they are part of a withheld message", () => {
  const message = `failed: Error: no\n    at parse (driver.js:1:1)\n    at SET ${ID} ${TEXT}`;
  const changed = new Error(message);
  changed.message = "failed";
  for (const error of [new Error(message), changed]) {
    const told = redactError(error, texts) as Error;
    assertSilent(told);
    assert(told.stack!.includes("redact_error_test.ts"));
  }
  const told = redactError(new Error(message), texts) as Error;
  assert(!told.stack!.includes("driver.js"), told.stack);
});

Deno.test("redactError() withholds a message when it quotes a record inside quotation marks", () => {
  const text = '{"_created":1,"pin":"4711","pw":"hunter2"}';
  const told = redactError(new Error(`bad: ${JSON.stringify(text)}`), [ID, text]) as Error;
  assertEquals(told.message, WITHHELD);
});

Deno.test("redactError() reads errors of errors, and withholds those that are too deep", () => {
  const quoting = new Error(TEXT);
  const told = redactError(new AggregateError([quoting, "plain"], "two"), texts);
  assertSilent(told);
  const { errors } = told as AggregateError;
  assertEquals([(errors[0] as Error).message, errors[1]], [WITHHELD, "plain"]);
  let deep: Error = quoting;
  for (let depth = 0; depth < 20; depth++) deep = new Error("around", { cause: deep });
  assertSilent(redactError(deep, texts));
  const circular = new Error("circular");
  circular.cause = circular;
  assertSilent(redactError(circular, texts));
});

Deno.test("redactError() keeps nothing and calls no getter when the value is not an error", () => {
  for (const thrown of [TEXT, { id: ID }, [TEXT], new Map([[ID, TEXT]]), () => ID]) {
    assertSilent(redactError(thrown, texts));
  }
  let calls = 0;
  const error = Object.defineProperty(new Error("lazy"), "row", { get: () => calls++ });
  assertEquals((redactError(error, texts) as Error).message, "lazy");
  assertEquals(calls, 0);
});

/** A stretch of the record, of so many characters. */
const stretch = (length: number) => TEXT.slice(8, 8 + length);

Deno.test("redactError() withholds a message when it has twelve characters of a record in a row", () => {
  const short = new Error(`bad: ${stretch(11)}, ${stretch(11)}`);
  assertStrictEquals(redactError(short, texts), short);
  for (const [before, after] of [["", ""], ["at ", ""], ["", " is bad"]]) {
    for (const length of [12, 13]) {
      const told = redactError(new Error(before + stretch(length) + after), texts) as Error;
      assertEquals(told.message, WITHHELD);
    }
  }
});

Deno.test("redactError() withholds a message when it has more than a thousand characters", () => {
  // With its name in front, as the stack has it.
  const [whole, longer] = [new Error("-".repeat(993)), new Error("-".repeat(994))];
  assertStrictEquals(redactError(whole, texts), whole);
  assert(redactError(longer, texts) !== longer);
  const told = redactError(new Error("-".repeat(1001)), texts) as Error;
  assertEquals(told.message, WITHHELD);
});

Deno.test("redactError() keeps four levels of causes", () => {
  const chain = (causes: number, innermost: Error) => {
    let error = innermost;
    for (let at = causes - 1; at >= 0; at--) error = new Error(`level ${at}`, { cause: error });
    return error;
  };
  const clean = chain(4, new Error("level 4"));
  assertStrictEquals(redactError(clean, texts), clean);
  for (const innermost of [new Error("level 5"), new Error(TEXT), chain(3, new Error(TEXT))]) {
    const messages: string[] = [];
    let told = redactError(chain(5, innermost), texts);
    for (; told instanceof Error; told = told.cause) messages.push(told.message);
    const levels = [0, 1, 2, 3, 4].map((level) => `level ${level}`);
    assertEquals(messages, [...levels, WITHHELD]);
  }
});

Deno.test("redactError() removes a property when its name quotes an argument", () => {
  for (const key of [`session:${ID}`, TEXT, Symbol(ID)]) {
    const error = Object.assign(new Error("multi-get failed"), { [key]: "EIO" });
    const told = redactError(error, texts) as Error;
    assertEquals([told.message, Reflect.ownKeys(told).includes(key)], ["multi-get failed", false]);
    assertSilent(told);
  }
});

Deno.test("redactError() keeps the code of a quoting error when the code does not quote", () => {
  const codes = { code: "X", errno: -1, syscall: "write", sqlState: "42S02", severity: "ERROR" };
  const told = redactError(Object.assign(new Error(TEXT), codes), texts) as Error;
  assertEquals({ ...told }, { name: "Error", ...codes });
  const quoting = Object.assign(new Error("bad"), {
    code: ID,
    errno: { id: ID },
    syscall: "write",
  });
  const silent = redactError(quoting, texts) as Error;
  assertEquals({ ...silent }, { name: "Error", syscall: "write" });
});

Deno.test("redactError() keeps the stack frames of a quoting error", () => {
  const error = new TypeError(`bad: ${ID}`);
  const told = redactError(error, texts) as Error;
  const [first, ...frames] = error.stack!.split("\n    at ");
  assertEquals(first, `TypeError: bad: ${ID}`);
  assertEquals(told.stack!.split("\n    at "), [`TypeError: ${WITHHELD}`, ...frames]);
});

Deno.test("redactError() returns an error without details when the value is not an error", () => {
  for (const thrown of [`no key ${ID}`, { id: ID }, [TEXT], new Map([[ID, TEXT]])]) {
    assertEquals((redactError(thrown, texts) as Error).message, WITHHELD);
  }
});

Deno.test("redactError() takes little time when a message quotes a large record", () => {
  const large = JSON.stringify({ _created: 1, card: "4111 ".repeat(13_000) });
  const told = redactError(new Error(`too large: ${large}`), [ID, large]) as Error;
  assertEquals(told.message, WITHHELD);
});

Deno.test("redactError() withholds what a store on SQL wrote in ASCII", () => {
  const text = 's1:{"name":"Iv\u00e1n M\u00fcller"}';
  for (const part of [toAsciiText(text), JSON.stringify(toAsciiText(text)), "Iv\\u00e1n M"]) {
    const error = redactError(new Error(`parameters: ['${part}']`), [ID, text]) as Error;
    assertEquals(error.message, WITHHELD, part);
  }
});
