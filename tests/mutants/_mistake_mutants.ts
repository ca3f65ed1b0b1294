/** Mistakes in how failures and users' mistakes are reported. */
import { mistake, type Mutant } from "./_mutant.ts";

const FAILURES = ["failures_are_reported_test.ts"];
const OPTIONS = ["core/options_test.ts"];
const SECURE = ["secure_cookie_test.ts"];
const SESSION = ["session_mistakes_test.ts"];
const KEYS = ["many_keys_test.ts"];

export const MISTAKE_MUTANTS: readonly Mutant[] = [
  mistake("a failed request that is answered and not reported", FAILURES, {
    find: "if ($response !== undefined) $cancel($response); reportFailure($options, $error);",
    replace: "if ($response !== undefined) $cancel($response);",
  }),
  mistake("a failed save behind an error page that is not reported", FAILURES, {
    find: "$sent.catch(($error) => reportFailure($options, $error));",
    replace: "$sent.catch(() => {});",
  }),
  mistake("a failure that two entry points report", FAILURES, {
    find: "if (reported.has($error) || reported.has($error.cause as object)) return;",
    replace: "",
  }),
  mistake("an error that is reported again when an adapter has copied it", FAILURES, {
    find: "|| reported.has($error.cause as object)",
    replace: "",
  }),
  mistake("a Map that set() takes and does not store", SESSION, {
    find: "&& !Array.isArray($values) && $hasKeys($values)",
    replace: "&& !Array.isArray($values)",
  }),
  mistake("a refused change in an app of Express that is not reported", FAILURES, {
    find: "abort($error?: unknown): Promise<void> { this.$isAborted = true; " +
      "reportFailure(this.$options, $error);",
    replace: "abort(_error?: unknown): Promise<void> { this.$isAborted = true;",
  }),
  mistake("a log with a line for each failed request", FAILURES, {
    find:
      "if ($last !== undefined && Math.abs($at - $last.at) < INTERVAL_MS) return void $last.left++;",
    replace: "",
  }),
  mistake("a lost client that is reported again and again", FAILURES, {
    find: "if (this.#lost.get($key) === $replacedAt) return;",
    replace: "",
  }),
  mistake("a late request that counts as a lost client", FAILURES, {
    find: "if ($age > NAVIGATION_WAIT) this.#reportLost($lookup);",
    replace: "this.#reportLost($lookup);",
  }),
  mistake("milliseconds that are accepted as seconds", OPTIONS, {
    find: "if ($seconds <= MAX_SECONDS) return;",
    replace: "if ($seconds <= Infinity) return;",
  }),
  mistake("a short secret that is not reported", OPTIONS, {
    find: "if (toUtf8($secrets[0]!).length < MIN_SECRET_BYTES) {",
    replace: "if (toUtf8($secrets[0]!).length < 1) {",
  }),
  mistake("a host that begins like localhost and counts as it", SECURE, {
    find: "host === undefined || LOOPBACK.test(host)",
    replace: 'host === undefined || host.includes("localhost")',
  }),
  mistake("a Secure cookie that each response reports", SECURE, {
    find: "|| isTrustworthy($scope)) return; this.#isDone = true;",
    replace: "|| isTrustworthy($scope)) return;",
  }),
  mistake("a session that can get properties", SESSION, {
    find: "if (new.target === Session) Object.preventExtensions(this);",
    replace: "",
  }),
  mistake("a callback of destroy() that is ignored", SESSION, {
    find: 'refuseCallback("destroy", arguments, CONTINUE);',
    replace: "",
  }),
  mistake("a log with the session's values", SESSION, {
    find: "keys: userKeys($data), };",
    replace: "keys: $data as never,\n};",
  }),
  mistake("a copy of all updates with each one", KEYS, {
    find: "this.#updates ??= new Map();",
    replace: "this.#updates = new Map(this.#updates ?? []);",
  }),
];
