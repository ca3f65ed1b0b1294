/** Mistakes with the header of a session's record: what it says, and what an ID stands for. */
import { mistake, type Mutant } from "./_mutant.ts";

const HEADER = ["record_header_test.ts"];
const RULES = ["header_rules_test.ts"];
const LOOKUP = ["lookup_test.ts"];
const TEXT = ["record_text_test.ts"];
const NAVIGATION = ["navigation_test.ts"];
const RENEWAL = ["tests/unit/core/cookie_renewal_test.ts"];
const SESSION = ["tests/unit/session_test.ts"];
const WRITES = ["repository_test.ts"];
const UPDATES = ["update_test.ts"];

/** Mistakes in encoding and decoding. */
const encoding: Mutant[] = [
  mistake("a damaged header that is read all the same", HEADER, {
    find: "if (!$FIELDS.test($text.slice($space, $end))) return undefined;",
    replace: "",
  }),
  mistake("a header whose verifier may have any length", HEADER, {
    find: 'if ($verifier.length !== $half && $verifier !== "") return undefined;',
    replace: "",
  }),
  mistake("a field of a later release that is dropped", HEADER, {
    find: "default: $header.$others.push($field);",
    replace: "default:",
  }),
  mistake("a header whose replaced verifiers are all rotated ones", HEADER, {
    find: '$isRotated: $value.charAt($mark) === "r"',
    replace: '$isRotated: $value.charAt($mark) !== ""',
  }),
  mistake("a time of 0 that is left out", HEADER, {
    find: 'if ($header.$sentAt !== undefined) $text += "..."; for (',
    replace: "if ($header.$sentAt) $text += ` o${$header.$sentAt.toString(36)}`;\nfor (",
  }),
  mistake("verifiers of which only a part is compared", HEADER, {
    find: "let $difference = $a.length ^ $b.length;",
    replace: "let $difference = $a.length * $b.length * 0;",
  }),
  mistake("a write token that is always the same", HEADER, {
    find: "return $toHex(crypto.getRandomValues(new Uint8Array($tokenBytes)));",
    replace: "return $toHex(new Uint8Array($tokenBytes));",
  }),
  mistake("a sign-in that plain data loses", TEXT, {
    find: "if ($header.$signedInAt !== undefined) $data._signed_in = $header.$signedInAt;",
    replace: "",
  }),
  mistake("a sign-in of plain data that no header can hold", TEXT, {
    find: "const $signedInAt = $isTime(_signed_in) ? _signed_in : undefined;",
    replace: "const $signedInAt = Number.isFinite(_signed_in) ? Number(_signed_in) : undefined;",
  }),
];

/** Mistakes in what a write does to the header. */
const writing: Mutant[] = [
  mistake("a change of the subject that is not counted", RULES, {
    find: "$header.$subjectChanges + ($isNewSubject ? 1 : 0)",
    replace: "$header.$subjectChanges + ($isNewSubject ? 0 : 0)",
  }),
  mistake("a subject that is given up and not counted", RULES, {
    find: "const $isNewSubject = $change !== undefined && $change.$subject !== $subject;",
    replace:
      "const $isNewSubject = $change?.$subject !== undefined && $change.$subject !== $subject;",
  }),
  mistake("a sign-in that is not noted", RULES, {
    find: "$signedInAt: $change?.$isSignIn ? $now : $header.$signedInAt",
    replace: "$signedInAt: $change === null ? $now : $header.$signedInAt",
  }),
  mistake("every write that counts as a sign-in", RULES, {
    find: "$signedInAt: $change?.$isSignIn ? $now : $header.$signedInAt",
    replace: "$signedInAt: $change ? $now : $header.$signedInAt",
  }),
  mistake("a regeneration that is not counted", RULES, {
    find: "if (!$isRotation) $next.$regenerations++;",
    replace: "",
  }),
  mistake("a rotation that counts as a regeneration", RULES, {
    find: "if (!$isRotation) $next.$regenerations++;",
    replace: "$next.$regenerations++;",
  }),
  mistake("a rotated ID that counts as known to the client before it is sent", RULES, {
    beside: "if (!$isRotation) $next.$regenerations++;",
    find: "$next.$presentedAt = $next.$sentAt = undefined;",
    replace: "$next.$sentAt = undefined;",
  }),
  mistake("a new ID that the session has had before", RULES, {
    find: "if ($holds($header, $newVerifier)) throw $repeated();",
    replace: "",
  }),
  mistake("a new ID that may be one that was replaced", RULES, {
    find:
      "return $isSame($header.$verifier, $verifier) || $find($header, $verifier) !== undefined;",
    replace: "return $isSame($header.$verifier, $verifier);",
  }),
  mistake("a rotated verifier that is dropped before the client has sent the next one", RULES, {
    find: "return $one === $replaced.at(-1) && $one.$isRotated ? $presentedAt ?? $now : $one.at;",
    replace: "return $replaced && $now && ($presentedAt ?? 1) ? $one.at : 0;",
  }),
  mistake("every rotated verifier that is kept until the client has sent the last ID", RULES, {
    find: "return $one === $replaced.at(-1) && $one.$isRotated ? $presentedAt ?? $now : $one.at;",
    replace: "return $replaced && $one.$isRotated ? $presentedAt ?? $now : $one.at;",
  }),
  mistake("a replaced verifier that is kept for ever", RULES, {
    find: "$one === $inGrace || $isLate($validUntil($header, $one, $now), $now)",
    replace: "$one === $inGrace || $one.at <= $now",
  }),
  mistake("a rotated ID whose hour counts from its rotation when the ID changes again", RULES, {
    find: "$next.$replaced.map(($one) => ({ ...$one, at: $validUntil($header, $one, $now) }));",
    replace: "$next.$replaced.map(($one) => ({ ...$one }));",
  }),
  mistake("a replaced verifier that a server with a clock ahead drops", RULES, {
    find: "$replaced: $withoutOld($header, Math.min($now, $lastAccess), $options)",
    replace: "$replaced: $withoutOld($header, $now, $options)",
  }),
  mistake("a replaced verifier that is dropped during its grace", RULES, {
    find: "$replaced.filter(($one) => $one === $inGrace || $isLate(",
    replace: "$replaced.filter(($one) => $one === null || $isLate(",
  }),
  mistake("an ID that is replaced by a clock behind another server's", RULES, {
    find: "const at = Math.max($now, $lastAccess); $next.$replacedAt = at;",
    replace: "const at = $now;\n$next.$replacedAt = at;",
  }),
  mistake("write tokens that a server with a clock ahead drops", RULES, {
    find: "Math.min($now, $lastAccess) - at <= $life",
    replace: "$now - at <= $life",
  }),
  mistake("any number of replaced verifiers", RULES, {
    find: "[...$earlier, $replaced].slice(-$max)",
    replace: "[...$earlier, $replaced]",
  }),
  mistake("any number of write tokens", RULES, {
    find: "[...$recent, { $token, at: $now }].slice(-$max)",
    replace: "[...$recent, { $token, at: $now }]",
  }),
  mistake("write tokens that another server's clock drops too early", RULES, {
    find: "Math.max($resend + $skew, 2 * $timeout)",
    replace: "Math.max($resend, 2 * $timeout)",
  }),
  mistake("write tokens that are dropped while their call can still arrive", RULES, {
    find: "Math.max($resend + $skew, 2 * $timeout)",
    replace: "$resend + $skew",
  }),
  mistake("a new ID of which the client's first request is not noted", RULES, {
    find: "if ($isPresented && $isUnconfirmed($header)) $next.$presentedAt = $now;",
    replace: "",
  }),
  mistake("a request with the old ID that counts as one with the new ID", WRITES, {
    find: "$isPresented: $write.$isUse && $base.$old === undefined && " +
      "$isSame($base.$header.$verifier, $current.$header.$verifier)",
    replace: "$isPresented: $write.$isUse",
  }),
  mistake("an update by the server that counts as a request with the new ID", UPDATES, {
    find: "$isPresented: $write.$isUse && $base.$old === undefined &&",
    replace: "$isPresented: $base.$old === undefined &&",
  }),
];

/** Mistakes in what an ID stands for. */
const finding: Mutant[] = [
  mistake("an ID of which only the key counts", LOOKUP, {
    find: "if ($verifier === undefined || $isSame($session.$header.$verifier, $verifier)) {",
    replace: 'if ($verifier !== "never") {',
  }),
  mistake("an ID that counts as replaced too briefly for another server's clock", LOOKUP, {
    find: "function $isLate($until: number, $now: number): boolean { " +
      "return $now - $until <= $late + $skew;",
    replace: "function $isLate($until: number, $now: number): boolean {\n" +
      "return $now - $until <= $late;",
  }),
  mistake("an unknown verifier that can end the session", LOOKUP, {
    find: "const $isHeld = $old !== undefined && " +
      "$isLate($validUntil($header, $old, $readAt), $readAt);",
    replace: "const $isHeld = $old === undefined ||\n" +
      "$isLate($validUntil($header, $old, $readAt), $readAt);",
  }),
  mistake("an ID of long ago that can end the session", LOOKUP, {
    find: "const $isHeld = $old !== undefined && " +
      "$isLate($validUntil($header, $old, $readAt), $readAt);",
    replace: "const $isHeld = $old !== undefined && $isLate($readAt, $readAt);",
  }),
  mistake("an unknown verifier that is unknown although the ID has just changed", LOOKUP, {
    beside: "function $find({ replaced }: RecordHeader, $verifier: string)",
    find: "if (!$isLate($last, $readAt)) return $unknown; const $isHeld",
    replace: "if (old === undefined || !$isLate($last, $readAt)) return $unknown;\nconst $isHeld",
  }),
  mistake("a replaced ID whose hour counts from its own replacement", LOOKUP, {
    find: "const $last = Math.max($replacedAt, $presentedAt + $options.$rotateGrace);",
    replace:
      "const $last = Math.max(old?.at ?? $replacedAt, $presentedAt + $options.$rotateGrace);",
  }),
  mistake("an ID that is unknown an hour after the last request with the new one", LOOKUP, {
    find: "const $last = Math.max($replacedAt, $presentedAt + $options.$grace);",
    replace: "const $last = Math.max($replacedAt, $presentedAt);",
  }),
  mistake("a grace that begins with the rotation", LOOKUP, {
    find: "return $presentedAt === undefined || $now - $presentedAt <= $grace + $skew;",
    replace: "return $now - ($presentedAt ?? last.at) <= $grace + $skew;",
  }),
  mistake("a grace that another server's clock ends too early", LOOKUP, {
    find: "return $presentedAt === undefined || $now - $presentedAt <= $grace + $skew;",
    replace: "return $presentedAt === undefined || $now - $presentedAt <= $grace;",
  }),
  mistake("a grace that never ends", LOOKUP, {
    find: "return $presentedAt === undefined || $now - $presentedAt <= $grace + $skew;",
    replace: "return $presentedAt === undefined || $now - $presentedAt <= Infinity;",
  }),
  mistake("a grace after a regeneration", LOOKUP, {
    find: "if ($last?.$isRotated !== true) return false; const { $presentedAt } = $header;",
    replace: "if ($last === undefined) return false;\nconst { $presentedAt } = $header;",
  }),
  mistake("a grace of every ID that the session had", LOOKUP, {
    find: "return $last !== undefined && $isSame($last.$verifier, $verifier) &&",
    replace: "return $last !== undefined && $verifier !== header.$verifier &&",
  }),
  mistake("an idle timeout that ends a session which was used in time", LOOKUP, {
    find:
      "return $readAt - $lastAccess <= $idleOf($header, $options) + $intervalOf($header, $options) &&",
    replace: "return $readAt - $lastAccess <= $idleOf($header, $options) &&",
  }),
  mistake("an absolute timeout that a sign-in does not start again", LOOKUP, {
    find:
      "return $signedInAt !== undefined && $signedInAt - $now <= $skew ? $signedInAt : $created;",
    replace: "return $signedInAt === null ? $now : $created;",
  }),
  mistake("an absolute timeout that a sign-in in the future prevents", LOOKUP, {
    find:
      "return $signedInAt !== undefined && $signedInAt - $now <= $skew ? $signedInAt : $created;",
    replace: "return $signedInAt !== undefined && $now > 0 ? $signedInAt : $created;",
  }),
  mistake("the end of a session that is reported as a damaged record", LOOKUP, {
    find: "if (!$isEnded($text) && !$isIndex($text)) {",
    replace: "if (!$isIndex($text)) {",
  }),
  mistake("a session whose ID the backend knows to be replaced and that opens", LOOKUP, {
    find: "const { $key, $replacedAt } = $record!; if ($replacedAt !== undefined) {",
    replace: "const { $key, $replacedAt } = $record!; if ($replacedAt === 0) {",
  }),
];

/** Mistakes in which requests are navigations. */
const navigating: Mutant[] = [
  mistake("a form that counts as a navigation", NAVIGATION, {
    find: 'if ($scope.method !== "GET") return false;',
    replace: "",
  }),
  mistake("a page that is loaded in advance and counts as a navigation", NAVIGATION, {
    find: "if (/prefetch|prerender|preview/i.test($purpose)) return false;",
    replace: "",
  }),
  mistake("a frame that counts as a navigation", NAVIGATION, {
    find: 'if ($destination !== undefined) return $destination === "document";',
    replace: 'if ($destination === "document") return true;',
  }),
  mistake("a browser without Sec-Fetch headers that never navigates", NAVIGATION, {
    find: "return /\\btext\\/html\\b|\\bapplication\\/xhtml\\+xml\\b/i.test(",
    replace: "return /^never$/.test(",
  }),
];

/** Mistakes in when the ID is sent again. */
const renewing: Mutant[] = [
  mistake("a request other than a navigation that renews the cookie", RENEWAL, {
    find: "return this.$repository.$isTouchDue($stored, $now) && $isNavigation(this.$scope);",
    replace: "return this.$repository.$isTouchDue($stored, $now);",
  }),
  mistake("a navigation that renews the cookie every time", RENEWAL, {
    find: "return this.$repository.$isTouchDue($stored, $now) && $isNavigation(this.$scope);",
    replace: "return $isNavigation(this.$scope);",
  }),
  mistake("a cookie that the browser drops before a request renews it", RENEWAL, {
    find: "this.$repository.$sentAgo($stored, $now) > $maxAge / 2",
    replace: "this.$repository.$sentAgo($stored, $now) > $maxAge",
  }),
  mistake("a cookie that is not renewed because a clock far ahead has noted it", RENEWAL, {
    find: "return $ago < -$skew ? Infinity : $ago;",
    replace: "return $ago;",
  }),
  mistake("a cookie whose last renewal is not looked up", RENEWAL, {
    find: "$now - ($header.$sentAt ?? $header.$replacedAt ?? $created)",
    replace: "$now - ($header.$replacedAt ?? $created)",
  }),
  mistake("a renewal that the record does not note", RENEWAL, {
    find: "if ($isSent && $isNoting) $next.$sentAt = $now;",
    replace: "",
  }),
  mistake("a new ID in a store without versions whose sending is not noted", RULES, {
    find: "if ($isNoting) $next.$sentAt = $now; return $next;",
    replace: "return $next;",
  }),
  mistake("a sending that is noted although every response sends the ID", RULES, {
    find: "if ($isSent && $isNoting) $next.$sentAt = $now;",
    replace: "if ($isSent) $next.$sentAt = $now;",
  }),
  mistake("a touch that sends the cookie and does not note it", RENEWAL, {
    find: "const $isNoted = $isSent || $idChange !== undefined || (",
    replace: "const $isNoted = $idChange !== undefined || (",
  }),
  mistake("a response that shared caches may store and that renews the cookie", RENEWAL, {
    find: "if ($stored.$old !== undefined) return false; " +
      "return this.$isRenewalDue($stored, $isChange) && $isPrivate();",
    replace: "if ($stored.$old !== undefined) return false;\n" +
      "return this.$isRenewalDue($stored, $isChange);",
  }),
  mistake("a cookie that is renewed only when a touch is due", RENEWAL, {
    find: "return this.$isOld($stored, $now) && $isPrivate(); } return",
    replace: "return false;\n}\nreturn",
  }),
  mistake("a response that shared caches may store and that rotates the ID", RENEWAL, {
    find: "const $isNow = $generated !== undefined && ($isAsked || $isPrivate());",
    replace: "const $isNow = $generated !== undefined;",
  }),
  mistake(
    "a response that shared caches may store and that carries an encrypted session",
    RENEWAL,
    {
      find: "return !this.$repository.$isWithClient || $isPrivate();",
      replace: "return this.$repository !== undefined;",
    },
  ),
  mistake("a State whose own lifetime of the cookie is ignored", RENEWAL, {
    find: "const $maxAge = $own ?? Math.min($idleOf($stored.$header, this.$options), $longest);",
    replace: "const $maxAge = Math.min($idleOf($stored.$header, this.$options), $longest);",
  }),
];

/** Mistakes with rotated IDs. */
const rotating: Mutant[] = [
  mistake("a rotation in a request with the old ID", SESSION, {
    find: "if ($isRotation && $stored.$old !== undefined) return undefined;",
    replace: "",
  }),
  mistake("a request with the old ID that does not get the current one", SESSION, {
    find: "return $mustInject || $old !== undefined || $now - $lastAccess >=",
    replace: "return $mustInject || $now - $lastAccess >=",
  }),
  mistake("a request in grace that gets the current ID after its grace", WRITES, {
    find: "return $isInGrace($header, $base.$old, $now, this.$options) ? $id : undefined;",
    replace: "return $now > 0 ? $id : undefined;",
  }),
  mistake("a late response that brings a rotated ID back", WRITES, {
    find: "return $isSent && $id === $base.$id ? $id : undefined;",
    replace: "return $isSent ? $base.$id : undefined;",
  }),
  mistake("two rotations at the same time that make two IDs", WRITES, {
    find: "const $isKept = $idChange === undefined || ($idChange.$isRotation && " +
      "!$isSame($base.$header.$verifier, $current.$header.$verifier));",
    replace: "const $isKept = $idChange === undefined;",
  }),
  mistake("a rotation at a request other than a navigation", SESSION, {
    find: "this.$repository.$isRotationDue(this.$stored) && $isNavigation(this.$scope)",
    replace: "this.$repository.$isRotationDue(this.$stored)",
  }),
  mistake("a rotation by itself while a grace runs", SESSION, {
    find: "&& !$isGraceRunning($header, $readAt, this.$options);",
    replace: ";",
  }),
  mistake("a rotation by itself in a plain store", ["plain_test.ts"], {
    find: "return this.$backend.$isVersioned && $old === undefined &&",
    replace: "return $old === undefined &&",
  }),
  mistake("a request with both IDs that counts as one with the old one", ["replaced_ids_test.ts"], {
    find: "return $a.$old === undefined; } const",
    replace: "return $a.$old !== undefined;\n}\nconst",
  }),
];

export const RECORD_MUTANTS: readonly Mutant[] = [
  ...encoding,
  ...writing,
  ...finding,
  ...navigating,
  ...renewing,
  ...rotating,
];
