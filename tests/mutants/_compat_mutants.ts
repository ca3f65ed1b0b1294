/** Mistakes in the interface of express-session, and in going on after a save. */
import { mistake, type Mutant } from "./_mutant.ts";

const COMPAT = ["express_compat_test.ts"];
const REOPEN = ["reopen_test.ts"];

export const COMPAT_MUTANTS: readonly Mutant[] = [
  mistake("a later save that drops the cookie of an earlier one", REOPEN, {
    find: "if ($headers.length === $before) $headers.push(...this.$takeCarried());",
    replace: "",
  }),
  mistake("a save that fails and takes the cookie of an earlier one with it", REOPEN, {
    find:
      "for (const [$name, $value] of this.$active.$takeCarried()) $headers?.append($name, $value);",
    replace: "",
  }),
  mistake("a session that goes on without the headers of its early save", REOPEN, {
    find: "return $early.length > 0 ? $early : this.$takeCarried();",
    replace: "return this.$takeCarried();",
  }),
  mistake("a session that goes on although its save has failed", REOPEN, {
    find: "await this.$early?.$saved;\nif (!this.$repository.$isWithClient)",
    replace: "if (!this.$repository.$isWithClient)",
  }),
  mistake("a renewed session of a client with several IDs", REOPEN, {
    find: 'if ($absence === "ambiguous") throw $refusal($absence, "regenerate");',
    replace: "",
  }),
  mistake("an ID that is not sent again when only the cookie has changed", REOPEN, {
    find: "if (this.$copy.$mustSend) return true;",
    replace: "",
  }),
  mistake("all of the session written, and not only the changes", COMPAT, {
    find: "if (this.$texts.get($key) === $text) continue;",
    replace: "",
  }),
  mistake("a property that stays after the app has deleted it", COMPAT, {
    find: "for (const $key of this.$base.keys()) if (!$texts.has($key)) delete $data[$key];",
    replace: "",
  }),
  mistake("nested objects that the app shares with the store's values", COMPAT, {
    find:
      '$session[$key] = typeof $value === "object" && $value !== null ? structuredClone($value) : $value;',
    replace: "$session[$key] = undefined;",
  }),
  mistake("a key that hides a method of req.session", COMPAT, {
    find: "if ($isReserved($key) || $key in $session || $value === undefined) continue;",
    replace: "if ($isReserved($key) || $value === undefined) continue;",
  }),
  mistake("a regenerate() that keeps the data", COMPAT, {
    find: "$session.clear().regenerate({ $authenticated: true });",
    replace: "$session.regenerate({ $authenticated: true });",
  }),
  mistake("a regenerate() that keeps keys with an underscore", COMPAT, {
    find: "$session.delete(...Object.keys($session.data).filter(($key) => !$isReserved($key)));",
    replace: "",
  }),
  mistake("a regenerate() that keeps the user", COMPAT, {
    find: "if ($session.subject !== undefined) $session.subject = undefined;",
    replace: "",
  }),
  mistake("a regenerate() that keeps the absolute lifetime", COMPAT, {
    find: "$session.clear().regenerate({ $authenticated: true });",
    replace: "$session.clear().regenerate();",
  }),
  mistake("operations of req.session that overlap", COMPAT, {
    find:
      "const $done = this.$pending === undefined ? $operation() : this.$pending.then($operation);",
    replace: "const $done = $operation();",
  }),
  mistake("a response that does not wait for the operations of its session", COMPAT, {
    find: "if (this.$pending !== undefined) return this.$pending.then(() => this.save($headers));",
    replace: "",
  }),
  mistake("an operation that fails in the background, unheard", COMPAT, {
    find: "this.$failure ??= { $error };",
    replace: "",
  }),
  mistake("a session that a late save() brings back", COMPAT, {
    find: 'if (this.$state === "destroyed") throw $refusal("committed", "save");',
    replace: "",
  }),
  mistake("Passport's user that does not become the subject", COMPAT, {
    find: "if ($subject !== this.$own) $session.subject = $subject;",
    replace: "",
  }),
  mistake("a subject that a session of compat loses", COMPAT, {
    find: "if ($subject !== this.$own) $session.subject = $subject;",
    replace: "$session.subject = $subject;",
  }),
  mistake("a cookie that browsers refuse, and that a stored session waits for", COMPAT, {
    find: "if ($isChanged || $isOther) { $setCookie($target.$cookie,",
    replace: "if (false) { $setCookie($target.$cookie,",
  }),
  mistake("attributes of the cookie that the response does not send", COMPAT, {
    find: "if ($isCookieChanged) this.$open.resend();",
    replace: "",
  }),
  mistake("a removal of the cookie without its attributes", COMPAT, {
    find: 'if ($value === "") return $clearCookie($cookie, $name);',
    replace: 'if ($value === "") return line;',
  }),
  mistake("a cookie without a lifetime that each response sends", COMPAT, {
    find: "return $isKnown ? undefined : $setCookie($cookie, $name, $value);",
    replace: "return $setCookie($cookie, $name, $value);",
  }),
  mistake("a cookie whose stored session ends earlier", COMPAT, {
    find: "if ($isChanged) $session.lifetime = $lifetimeOf(",
    replace: "if (false) $session.lifetime = $lifetimeOf(",
  }),
  mistake("a lifetime that a sign-in resets", COMPAT, {
    find: "else if ($lifetime !== undefined) $session.$lifetime = $lifetime;",
    replace: "",
  }),
  mistake("a regenerate() that keeps the lifetime", COMPAT, {
    find: "if ($session.lifetime !== undefined) $session.lifetime = undefined;",
    replace: "",
  }),
];
