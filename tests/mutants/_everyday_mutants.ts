/** Mistakes in flash messages and in values that are taken once. */
import { mistake, type Mutant } from "./_mutant.ts";

const FLASH = ["flash_messages_test.ts"];
const PULL = ["pull_test.ts"];

export const EVERYDAY_MUTANTS: readonly Mutant[] = [
  mistake("a message that is shown again", FLASH, {
    find: "$messages.filter(($one) => !$metadata?.$taken.has($one))",
    replace: "$messages",
  }),
  mistake("messages of the record that a write drops", FLASH, {
    find: "return [...$left, ...$metadata?.$added ?? []].slice(-$max);",
    replace: "return [...$metadata?.$added ?? []].slice(-$max);",
  }),
  mistake("messages without a limit", FLASH, {
    find: "return [...$left, ...$metadata?.$added ?? []].slice(-$max);",
    replace: "return [...$left, ...$metadata?.$added ?? []];",
  }),
  mistake("a clear() that keeps the messages", FLASH, {
    find: "const $left = $isCleared ? [] : $messages.filter(",
    replace: "const $left = $messages.filter(",
  }),
  mistake("a clear() that keeps the messages of its own request", FLASH, {
    find: "if (this.$metadata !== undefined) this.$metadata.$added = [];",
    replace: "",
  }),
  mistake("messages without a token of their own", FLASH, {
    find: "return `${$newToken()}${$encode($kind)}:${$encode($text)}`;",
    replace: 'return `${"0".repeat(12)}${$encode($kind)}:${$encode($text)}`;',
  }),
  mistake("messages that are not removed if nothing else changes", FLASH, {
    find: "if ($left.length > 0) this.$maybeDirty = true;",
    replace: "",
  }),
  mistake("a new session that is not saved for its messages", FLASH, {
    find: "&& !$change.$metadata?.$added.length;",
    replace: ";",
  }),
  mistake("a restart() that keeps the messages of the session before it", FLASH, {
    find: "if ($values !== undefined) this.$metadata.$added = $added;",
    replace: "this.$metadata.$added = $added;",
  }),
  mistake("plain data that loses the messages", FLASH, {
    find: "if ($header.$messages.length > 0) $data._flash = $header.$messages;",
    replace: "",
  }),
  mistake("a pull that does not look at the record", PULL, {
    find: "this.$check($base, $current.$json, $change.$metadata.$pulled);",
    replace: "",
  }),
  mistake("a pull that does not look at a session that it ends", PULL, {
    find: "if ($pulled !== undefined) this.$check($session, $ended?.$json, $pulled);",
    replace: "",
  }),
  mistake("a pull that conflicts with every other write", PULL, {
    find:
      "if ($json === undefined || !$areSame($keys, $base.$json, $json, this.$options.$codec)) {",
    replace: "if (true) {",
  }),
  mistake("a restart() that forgets what was pulled", PULL, {
    find: "for (const $key of $pulled) this.$metadata.$pulled.add($key);",
    replace: "",
  }),
  mistake("a failed pull that leaves the cookie of an ended session", PULL, {
    find: 'if (($cause as $error).code === "ERR_SESSION_CONFLICT") throw $pulledBefore($headers);',
    replace: 'if (($cause as $error).code === "ERR_SESSION_CONFLICT") throw $pulledBefore();',
  }),
  mistake("a pull that is not saved if the value comes back", PULL, {
    find: "if ($change.$metadata !== undefined) return true;",
    replace: "",
  }),
];
