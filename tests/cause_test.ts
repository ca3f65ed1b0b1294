import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { withoutQuotations } from "../core/backend/redact_error.ts";
import { stringsIn } from "./_at_rest_dump.ts";
import { idOf } from "./_helpers.ts";

const ID = "0123456789abcdef".repeat(4);
const TEXT = '{"_created":1700000000,"card":"4111 1111 1111 1111"}';
const texts = [ID, TEXT];

/** All that a logger could make of an error. */
const all = (error: unknown): string =>
  error instanceof Error
    ? [error.name, error.message, error.stack, all(error.cause), ...stringsIn(error)].join("\n")
    : stringsIn(error).join("\n");

function assertSilent(error: unknown): void {
  const told = all(error);
  for (const word of [ID, idOf("b"), "4111", "_created"]) assert(!told.includes(word), told);
}

Deno.test("withoutQuotations() hands an error that quotes nothing on as it is", () => {
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
    assertStrictEquals(withoutQuotations(error, texts), error);
  }
});

Deno.test("withoutQuotations() takes away what ioredis and the SQL drivers hang on their errors", () => {
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
    const told = withoutQuotations(error, texts) as Error & { code?: string; severity?: string };
    assertSilent(told);
    assertInstanceOf(told, Error);
    assertEquals([told.name, told.message], [error.name, error.message]);
    // It still says where it happened.
    assert(told.stack!.includes("cause_test.ts"));
    if (error === postgres) assertEquals([told.code, told.severity], ["23514", "ERROR"]);
  }
});

Deno.test("withoutQuotations() cuts ids and stretches of the record out of a message and its causes", () => {
  const cause = new Error(`no such key: ${ID}, but ${idOf("b")}`);
  const error = new Error(`ERR unknown command, with args: '${ID}' '${TEXT.slice(20)}' here`, {
    cause,
  });
  const told = withoutQuotations(error, texts) as Error;
  assertSilent(told);
  assertEquals(told.message, "ERR unknown command, with args: '(redacted)' '(redacted)' here");
  assertEquals((told.cause as Error).message, "no such key: (redacted), but (redacted)");
});

Deno.test("withoutQuotations() cuts out all of a record in hex, to the last digit", () => {
  const hex = new TextEncoder().encode(TEXT).toHex();
  for (const digits of [hex, hex.toUpperCase()]) {
    const told = withoutQuotations(new Error(`no text: "\\x${digits}"`), texts) as Error;
    assertEquals(told.message, 'no text: "\\x(redacted)"');
  }
});

Deno.test("withoutQuotations() cuts what quotes out of a message that has another's stack in it", () => {
  const message = `failed: Error: no\n    at parse (driver.js:1:1)\n    at SET ${ID} ${TEXT}`;
  const changed = new Error(message);
  changed.message = "failed";
  for (const error of [new Error(message), changed]) {
    const told = withoutQuotations(error, texts) as Error;
    assertSilent(told);
    assert(told.stack!.includes("cause_test.ts"));
  }
});

Deno.test("withoutQuotations() knows a record that is quoted within quotes", () => {
  const text = '{"_created":1,"pin":"4711","pw":"hunter2"}';
  const told = withoutQuotations(new Error(`bad: ${JSON.stringify(text)}`), [ID, text]) as Error;
  assertEquals(told.message, 'bad: "(redacted)"');
});

Deno.test("withoutQuotations() looks into errors of errors, and gives up on what is too deep", () => {
  const quoting = new Error(TEXT);
  const told = withoutQuotations(new AggregateError([quoting, "plain"], "two"), texts);
  assertSilent(told);
  const { errors } = told as AggregateError;
  assertEquals([(errors[0] as Error).message, errors[1]], ["(redacted)", "plain"]);
  let deep: Error = quoting;
  for (let depth = 0; depth < 20; depth++) deep = new Error("around", { cause: deep });
  assertSilent(withoutQuotations(deep, texts));
  const circular = new Error("circular");
  circular.cause = circular;
  assertSilent(withoutQuotations(circular, texts));
});

Deno.test("withoutQuotations() keeps nothing of what is no error, and calls no getter", () => {
  for (const thrown of [TEXT, { id: ID }, [TEXT], new Map([[ID, TEXT]]), () => ID]) {
    assertSilent(withoutQuotations(thrown, texts));
  }
  let calls = 0;
  const error = Object.defineProperty(new Error("lazy"), "row", { get: () => calls++ });
  assertEquals((withoutQuotations(error, texts) as Error).message, "lazy");
  assertEquals(calls, 0);
});

/** A stretch of the record, of so many characters. */
const stretch = (length: number) => TEXT.slice(8, 8 + length);

Deno.test("withoutQuotations() takes twelve characters of a record for a quotation, wherever they stand", () => {
  const short = new Error(`bad: ${stretch(11)}, ${stretch(11)}`);
  assertStrictEquals(withoutQuotations(short, texts), short);
  for (const [before, after] of [["", ""], ["at ", ""], ["", " is bad"]]) {
    for (const length of [12, 13]) {
      const told = withoutQuotations(new Error(before + stretch(length) + after), texts) as Error;
      assertEquals(told.message, `${before}(redacted)${after}`);
    }
  }
  assertEquals(withoutQuotations(stretch(12), texts), "(redacted)");
  // A quotation is of one text.
  const pieces = ["abcdefghijkl", "bcdefghijklm"];
  assertEquals(withoutQuotations("abcdefghijklm", pieces), "(redacted)m");
});

Deno.test("withoutQuotations() looks through a thousand characters, and tells no more of a message", () => {
  // With its name in front, as the stack has it.
  const [whole, longer] = [new Error("-".repeat(993)), new Error("-".repeat(994))];
  assertStrictEquals(withoutQuotations(whole, texts), whole);
  assert(withoutQuotations(longer, texts) !== longer);
  const told = withoutQuotations(new Error("-".repeat(1001)), texts) as Error;
  assertEquals(told.message, "-".repeat(1000));
});

Deno.test("withoutQuotations() looks four causes deep", () => {
  const chain = (causes: number, innermost: Error) => {
    let error = innermost;
    for (let at = causes - 1; at >= 0; at--) error = new Error(`level ${at}`, { cause: error });
    return error;
  };
  const clean = chain(4, new Error("level 4"));
  assertStrictEquals(withoutQuotations(clean, texts), clean);
  for (const innermost of [new Error("level 5"), new Error(TEXT), chain(3, new Error(TEXT))]) {
    const messages: string[] = [];
    let told = withoutQuotations(chain(5, innermost), texts);
    for (; told instanceof Error; told = told.cause) messages.push(told.message);
    const levels = [0, 1, 2, 3, 4].map((level) => `level ${level}`);
    assertEquals(messages, [...levels, "(redacted)"]);
  }
});

Deno.test("withoutQuotations() takes away a property that is called by what the call was about", () => {
  for (const key of [`session:${ID}`, TEXT, Symbol(ID)]) {
    const error = Object.assign(new Error("multi-get failed"), { [key]: "EIO" });
    const told = withoutQuotations(error, texts) as Error;
    assertEquals([told.message, Reflect.ownKeys(told).includes(key)], ["multi-get failed", false]);
    assertSilent(told);
  }
});

Deno.test("withoutQuotations() keeps the codes of an error that quotes, but not one that quotes too", () => {
  const codes = { code: "X", errno: -1, syscall: "write", sqlState: "42S02", severity: "ERROR" };
  const told = withoutQuotations(Object.assign(new Error(TEXT), codes), texts) as Error;
  assertEquals({ ...told }, { name: "Error", ...codes });
  const quoting = Object.assign(new Error("bad"), {
    code: ID,
    errno: { id: ID },
    syscall: "write",
  });
  const silent = withoutQuotations(quoting, texts) as Error;
  assertEquals({ ...silent }, { name: "Error", syscall: "write" });
});

Deno.test("withoutQuotations() tells where an error that quotes came from", () => {
  const error = new TypeError(`bad: ${ID}`);
  const told = withoutQuotations(error, texts) as Error;
  const [first, ...frames] = error.stack!.split("\n    at ");
  assertEquals(first, `TypeError: bad: ${ID}`);
  assertEquals(told.stack!.split("\n    at "), ["TypeError: bad: (redacted)", ...frames]);
});

Deno.test("withoutQuotations() says of what is no error that something was there", () => {
  assertEquals(withoutQuotations(`no key ${ID}`, texts), "no key (redacted)");
  for (const thrown of [{ id: ID }, [TEXT], new Map([[ID, TEXT]])]) {
    assertEquals((withoutQuotations(thrown, texts) as Error).message, "(redacted)");
  }
});

Deno.test("withoutQuotations() is done soon with a message that quotes all of a large record", () => {
  const large = JSON.stringify({ _created: 1, card: "4111 ".repeat(13_000) });
  const told = withoutQuotations(new Error(`too large: ${large}`), [ID, large]) as Error;
  assertEquals(told.message, "too large: (redacted)");
});
