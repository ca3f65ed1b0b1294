import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { encodeMessage, isMessage, isOfKind, textOf } from "../../../base/flash_message.ts";

const TEXTS = ["Saved", "a b+c%20:{}", "é 日本 🍏", "\0\n\"'", " ", "%", "\ud800x"];

Deno.test("textOf() returns the text that encodeMessage() was given, whatever its kind", () => {
  for (const text of TEXTS) {
    for (const kind of TEXTS) {
      const message = encodeMessage(kind, text);
      assertEquals(textOf(message), text.toWellFormed());
      assert(isMessage(message) && isOfKind(message, kind), message);
      // Neither ends the field nor begins the JSON.
      assert(!/[ {]/.test(message), message);
    }
  }
});

Deno.test("isOfKind() compares the whole kind", () => {
  const message = encodeMessage("info", "warn:ing");
  for (const kind of ["", "inf", "info:", "information", "nfo", "warn", "Info"]) {
    assert(!isOfKind(message, kind), kind);
  }
});

Deno.test("encodeMessage() makes each message unlike the others", () => {
  assertNotEquals(encodeMessage("info", "Saved"), encodeMessage("info", "Saved"));
});

Deno.test("isMessage() is false for what encodeMessage() does not make", () => {
  const message = encodeMessage("info", "Saved");
  const others = [message.slice(1), `x${message.slice(1)}`, `${message} `, `${message}:`, "a:b"];
  for (const value of [...others, "", 7, null, undefined, [message]]) {
    assert(!isMessage(value), String(value));
  }
});

Deno.test("textOf() shows a text that it cannot decode as it is", () => {
  assertEquals(textOf("0123456789abinfo:100%+%C3"), "100% %C3");
});
