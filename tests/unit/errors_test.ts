import { assert, assertEquals, assertFalse } from "@std/assert";
import { SessionError } from "@pagi/session/errors";
import { HandledFailure } from "../../core/entry/handled_failure.ts";
import { HandledFailure as OtherFailure } from "../../core/entry/handled_failure.ts?copy";
import { SessionError as OtherError } from "../../errors.ts?copy";

Deno.test("SessionError recognizes the errors of another copy of the package", () => {
  assert(OtherError as unknown !== SessionError);
  const other: unknown = new OtherError("ERR_SESSION_STORE", "Cannot read the session");
  assert(other instanceof SessionError);
  assertEquals(Object.keys(other).includes("status"), true);
  const values = [new Error("x"), { name: "SessionError" }, null, undefined, "x"];
  for (const value of values as unknown[]) assertFalse(value instanceof SessionError);
});

Deno.test("SessionError has its status under both names that frameworks read", () => {
  const error = new SessionError("ERR_SESSION_STORE", "Cannot read the session");
  assertEquals([error.status, error.statusCode], [503, 503]);
});

Deno.test("a subclass of SessionError recognizes its own errors only", () => {
  class QuotaError extends SessionError {}
  const [error, quota] = [SessionError, QuotaError].map((Class) =>
    new Class("ERR_SESSION_STORE", "Cannot read the session")
  );
  assertEquals([error instanceof QuotaError, quota instanceof QuotaError], [false, true]);
  assert(quota instanceof SessionError);
});

Deno.test("HandledFailure recognizes the errors of another copy of the package", () => {
  assert(new OtherFailure("x", new Response()) as unknown instanceof HandledFailure);
  assertFalse(new Error("x") instanceof HandledFailure);
});
