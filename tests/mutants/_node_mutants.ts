/** Mistakes in how a response of Node's servers is held back. */
import { mistake, type Mutant } from "./_mutant.ts";

const ADAPTERS = ["adapters_test.ts"];
const NEST = ["nest_test.ts"];
const KOA = ["koa_test.ts"];
const SEND = ["send_response_test.ts"];

export const NODE_MUTANTS: readonly Mutant[] = [
  mistake("listeners of drain in another stream that are never called", ADAPTERS, {
    find: "for (const $listener of this.$moved) $listener.call(this.$res);",
    replace: "",
  }),
  mistake("a held response that takes any number of bytes", ADAPTERS, {
    find: "this.$needsDrain = true; return false;",
    replace: "return true;",
  }),
  mistake("a held response that does not look ended", ADAPTERS, {
    find: 'if (name === "end") this.$isEnded = true;',
    replace: "",
  }),
  mistake("a session that is saved before the head is complete", ADAPTERS, {
    find: "this.$isImplicit = true; this.$res.writeHead(this.$res.statusCode);",
    replace: "this.$isImplicit = true;",
  }),
  mistake("middleware that completes the head after the save again", ADAPTERS, {
    find:
      'return name === "_implicitHeader" ? this.$call("writeHead", [this.$res.statusCode]) : this.$call(name, $args);',
    replace: "return this.$call(name, $args);",
  }),
  mistake("an error page that later middleware swallows", ADAPTERS, {
    find: "if (this.$isEnded) this.$giveBack(); else if (!res.destroyed)",
    replace: "if (this.$isEnded) void this.$giveBack; else if (!res.destroyed)",
  }),
  mistake("a saved session whose cookie is not on the error page", ADAPTERS, {
    find: "for (const [$put, name, value] of $headers.get(res) ?? []) $target[$put]!(name, value);",
    replace: "",
  }),
  mistake("callbacks that a discarded response never calls", ADAPTERS, {
    find: "for (const [, $args] of $queue) $callBack($args, $error);",
    replace: "",
  }),
  mistake("a failed save that nobody hears of after the client has gone", ADAPTERS, {
    find: "if (this.$isEnded || res.destroyed) this.$failEnded($error);",
    replace: "if (this.$isEnded) this.$failEnded($error);",
  }),
  mistake("a client that waits forever if the server ignores the error", ADAPTERS, {
    find: "if (!res.headersSent) this.$endEmpty($error);",
    replace: "",
  }),
  mistake("a chunk that fails when the queue is sent", ADAPTERS, {
    find: 'if (name === "write" || name === "end") $checkChunk(name, $args[0]);',
    replace: "",
  }),
  mistake("a WebSocket's session that loses what is written to it", ADAPTERS, {
    find: 'return this.$request.upgrade ? "websocket" : "http";',
    replace: 'return this.$request.upgrade ? "http" : "http";',
  }),
  mistake("a sign-in that is saved with the page of an exception", ADAPTERS, {
    find: "return $statusCode >= 500;",
    replace: "return $statusCode >= 600;",
  }),
  mistake("a Koa handler that throws and is saved", KOA, {
    find: "await $own.abort(error); await $respondWithError($sessions, $ctx, error, $before);",
    replace: "await $respondWithError($sessions, $ctx, error, $before);",
  }),
  mistake("a Koa body that fails and is saved", KOA, {
    find: "if (error != null) void $own.abort(error);",
    replace: "",
  }),
  mistake("a Koa error response with the handler's headers", KOA, {
    find:
      "for (const name of Object.keys(res.getHeaders())) res.removeHeader(name); for (const [name, value] of Object.entries($before)) res.setHeader(name, value as string);",
    replace: "",
  }),
  mistake("a body that goes on after the client has disconnected", SEND, {
    find: "isGone = true; reader.cancel().catch(() => {});",
    replace: "isGone = true;",
  }),
  mistake("a body that overruns a slow client", SEND, {
    find: "if (res.write(value)) continue;",
    replace: "if (res.write(value) || true) continue;",
  }),
  mistake("a body that breaks off and looks complete", SEND, {
    find: "if (res.headersSent) res.destroy?.();",
    replace: "",
  }),
  mistake("a sign-in that is saved although a Nest guard threw", NEST, {
    find: "if ($isForFilter(this)) void $abortSessions(",
    replace: "if (!$isForFilter(this)) void $abortSessions(",
  }),
  mistake("a sign-in that Nest saves before its first guard", NEST, {
    find: "return $statusCode >= (isObserving ? 500 : 400);",
    replace: "return $statusCode >= 500;",
  }),
];
