/** Mistakes in how a response of Node's servers is held back. */
import { mistake, type Mutant } from "./_mutant.ts";

const ADAPTERS = ["adapters_test.ts"];

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
];
