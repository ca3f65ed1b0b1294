/** Mutations that no test can see, and why. */
export interface Survivor {
  file: string;
  /** The line that is mutated, without its indentation. */
  line: string;
  /** What is done to it. */
  mutation: string;
  why: string;
}

/** Survivors of one file; a line may have several for the same reason. */
function inFile(
  file: string,
  ...survivors: [line: string, mutation: string | string[], why: string][]
) {
  return survivors.flatMap(([line, mutations, why]) =>
    [mutations].flat().map((mutation): Survivor => ({ file, line, mutation, why }))
  );
}

const NO_TEXT = "Whatever is no text of a session: it is looked at no further";
const UNSEEN = "An exchange that can neither save nor inject uses none of it";
const AT_END = "At the end of a pair stands a semicolon or nothing, which is no blank";

const TOO_MANY =
  "What seems to have many levels is gone through, and that decides: it only takes longer";
const NOWHERE = "What is written beyond the end of bytes is nowhere";
const SLOWER = "The slower way to the same";
const NOTHING_SEALED = "Nothing is never sealed, so it does not open either";
const NO_ONE_HAS_IT = "Nobody is handed the key that could be taken out then";

export const SURVIVORS: readonly Survivor[] = [
  ...inFile(
    "core/active_session.ts",
    [
      "if (this.#record === undefined) return !settings.saveUninitialized;",
      "return nothing",
      SLOWER,
    ],
    ["return !records.isDue(this.#record);", "return nothing", SLOWER],
  ),
  ...inFile(
    "base/record_text.ts",
    [
      "if (text.length <= 2 * MAX_DEPTH) return false;",
      ["< for <=", "/ for *", "the other"],
      TOO_MANY,
    ],
    ['for (const sign of ["]", "}"]) {', "another text", TOO_MANY],
    [
      "for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, at + 1)) {",
      ["> for >=", "one more", "- for +"],
      TOO_MANY,
    ],
    ["if (--left < 0) return true;", ["<= for <", ">= for <", "one more"], TOO_MANY],
    ["return false;", "the other", TOO_MANY],
    [
      "for (let at = 0; at < mask.length; at++) bytes[at]! ^= mask[at]!;",
      "<= for <",
      NOWHERE,
    ],
  ),
  ...inFile(
    "data/codec.ts",
    [
      "if (text.length * MAX_BYTES_PER_UNIT <= this.#maxBytes || text === base) return text;",
      "< for <=",
      "Its bytes are counted, and they fit",
    ],
    [
      "const isOurs = data._created === created && data._regenerated === undefined &&",
      "!== for ===",
      SLOWER,
    ],
    ["data._destroyed === undefined && data._codec === undefined;", "!== for ===", SLOWER],
    [
      'return JSON.stringify(pack(value)) ?? "";',
      "another text",
      "It is no JSON, whatever it is: no value is written so",
    ],
    ['return "";', "another text", "It is no JSON, whatever it is: no value is written so"],
  ),
  ...inFile(
    "state/_cookie_header.ts",
    ["while (start < header.length) {", "<= for <", "Behind the end there is no pair to find"],
    [
      "while (start < end && isBlank(header.charCodeAt(start))) start++;",
      "<= for <",
      AT_END,
    ],
    ["while (at < end && isBlank(header.charCodeAt(at))) at++;", "<= for <", AT_END],
    [
      "if (at >= end || header.charCodeAt(at) !== EQUALS) return undefined;",
      "> for >=",
      "At the end of a pair stands a semicolon or nothing, which is no equals sign",
    ],
    [
      "while (end > at && isBlank(header.charCodeAt(end - 1))) end--;",
      ">= for >",
      "The end of an empty value may pass its start: it is empty all the same",
    ],
  ),
  ...inFile(
    "base/derived_keys.ts",
    [
      'this.#base ??= subtle.importKey("raw", bytesOf(this.#secret), "HKDF", false, ["deriveKey"]);',
      "the other",
      NO_ONE_HAS_IT,
    ],
    ["false,", "the other", NO_ONE_HAS_IT],
  ),
  ...inFile(
    "store/_seal_keys.ts",
    [
      'this.#base ??= subtle.importKey("raw", bytesOf(this.#secret), "HKDF", false, ["deriveKey"]);',
      "the other",
      NO_ONE_HAS_IT,
    ],
    ["false,", "the other", NO_ONE_HAS_IT],
  ),
  ...inFile(
    "migrate/connect_signature.ts",
    [
      'crypto.subtle.importKey("raw", bytesOf(secret), HMAC, false, ["verify"])',
      "the other",
      NO_ONE_HAS_IT,
    ],
  ),
  ...inFile(
    "migrate/legacy_sessions.ts",
    [
      'this.#secrets.map((one) => subtle.importKey("raw", bytes(one), HMAC, false, ["sign"])),',
      "the other",
      NO_ONE_HAS_IT,
    ],
    [
      "this.#ids = new IdSource({ secret: secrets[0]!, generateId: undefined }, isId);",
      "one more",
      "Ids are random: none tells which secret went into it",
    ],
  ),
  ...inFile(
    "core/backend/redact_error.ts",
    [
      "while (length < rest.length && isIn(texts, rest.slice(0, length + 1))) length++;",
      "<= for <",
      "Behind the end there is nothing to keep",
    ],
  ),
  ...inFile(
    "store/_cookie/revocations.ts",
    [
      "if (this.#cacheMs === 0) return;",
      ["one more", "no return"],
      "What is kept then is never young enough to be used",
    ],
  ),
  ...inFile(
    "store/_cookie/pagi_format.ts",
    [
      "if (bytes === undefined || bytes.length < HEAD_BYTES) return undefined;",
      "<= for <",
      NOTHING_SEALED,
    ],
    [
      'return await crypto.subtle.importKey("raw", digest, "AES-GCM", false, ["encrypt", "decrypt"]);',
      "the other",
      NO_ONE_HAS_IT,
    ],
  ),
  ...inFile(
    "store/cookie.ts",
    [
      'const DEAD: Revocation = { text: "", lastAccess: 0 };',
      "one more",
      "Nobody asks when what does not open was given up",
    ],
    [
      "signal.throwIfAborted();",
      "without ExpressionStatement",
      "What is sealed then nobody waits for",
    ],
    ["if (this.#revocations === undefined) return;", "no return", SLOWER],
  ),
  ...inFile(
    "base/hex.ts",
    [
      'return typeof bytes.toHex === "function" ? bytes.toHex() : digitsOf(bytes);',
      "another text",
      SLOWER,
    ],
    ["for (let at = 0; at < bytes.length; at++) {", "<= for <", NOWHERE],
    ["return code < 58 ? code - 48 : code - 87;", "<= for <", "Character 58 is a colon, no digit"],
    [
      "return code < 58 ? code - 48 : code - 87;",
      "one more",
      "Character 58 is a colon, which is no digit: below or from there it is the same",
    ],
  ),
  ...inFile(
    "base/base64.ts",
    [
      "readonly #values = new Uint8Array(128);",
      "one more",
      "It is asked for by 7 bits",
    ],
    ['return typeof bytes.toBase64 === "function"', "another text", SLOWER],
    ['const bytes = typeof Uint8Array.fromBase64 === "function"', "another text", SLOWER],
    ["for (let from = 0; from < bytes.length; from += 3) {", "<= for <", NOWHERE],
    [
      "const group = (bytes[from]! << 16) | ((bytes[from + 1] ?? 0) << 8) | (bytes[from + 2] ?? 0);",
      "one more",
      "A lowest bit beyond the last byte is in digits beyond the last digit",
    ],
    ["let group = 0;", "one more", "It is shifted out of the three bytes"],
    [
      "group = (group << 6) | (next < digits ? values[text.charCodeAt(next) & 127]! : 0);",
      "<= for <",
      "What stands beyond the last digit goes into bytes that are nowhere",
    ],
    [
      "for (let from = 0; from < digits; from += 4) {",
      "<= for <",
      "One more group is written beyond the end of the bytes, which is nowhere",
    ],
    [
      "group = (group << 6) | (next < digits ? values[text.charCodeAt(next) & 127]! : 0);",
      "one more",
      "What stands beyond the last digit goes into bytes that are nowhere",
    ],
  ),
  ...inFile(
    "base/utf8.ts",
    [
      "export const MAX_BYTES_PER_UNIT = 3;",
      "one more",
      "More texts have their bytes counted than need it, and more room is cut off",
    ],
  ),
  ...inFile(
    "store/_cookie/hourly_format.ts",
    [
      "const FORM = /^A[Q-Za-f][\\w-]*$/;",
      "pattern /^A[Q-Za-f][\\w-]+$/",
      "What has two letters is too short before it comes here",
    ],
    [
      "if (bytes === undefined || bytes.length <= OVERHEAD_BYTES) return undefined;",
      "< for <=",
      NOTHING_SEALED,
    ],
    ["export const REMEMBERED = 500;", "one more", "How many it is exactly is nobody's concern"],
    ["const MAX_NAMES = 100;", "one more", SLOWER],
    [
      "if (this.#associated.size < MAX_NAMES) this.#associated.set(name, associated);",
      ["<= for <", ">= for <", "without ExpressionStatement"],
      SLOWER,
    ],
  ),
  ...inFile(
    "core/id_source.ts",
    ["#used = 0;", "one more", "There is no stream yet, and each starts at 0"],
    [
      "for (let at = 0; at < ID_BYTES; at++) bytes[at]! ^= stream[start + at]!;",
      "<= for <",
      NOWHERE,
    ],
    [
      'const root = await subtle.importKey("raw", bytes(this.#options.secret), "HKDF", false, [',
      "the other",
      NO_ONE_HAS_IT,
    ],
    [
      '{ name: "HKDF", hash: "SHA-256", salt, info: bytes("@pagi/session id") },',
      "another text",
      "The salt is random: no id tells which label went into it",
    ],
  ),
  ...inFile(
    "base/text_seal.ts",
    [
      "if (bytes === undefined || bytes.length < HEAD_BYTES + TAG_BYTES) return undefined;",
      "<= for <",
      "An empty text is never sealed, and what does not open reads as empty too",
    ],
  ),
  ...inFile(
    "core/backend/plain.ts",
    [
      'return { id, text: textOf(hash, created), version: "", lastAccess };',
      "another text",
      "Nobody compares a plain store's versions",
    ],
    [
      'return { version: "", transport: typeof transport === "string" ? transport : id };',
      "another text",
      "Nobody compares a plain store's versions",
    ],
    ['return "";', "return nothing", NO_TEXT],
    ['return "";', "another text", NO_TEXT],
  ),
  ...inFile(
    "core/backend/backend.ts",
    [
      'if (!isWhole(found)) return { id, text: "", version: "", lastAccess: 0 };',
      "another text",
      NO_TEXT,
    ],
    [
      'if (!isWhole(found)) return { id, text: "", version: "", lastAccess: 0 };',
      "one more",
      NO_TEXT,
    ],
    ['text = "",', "another text", "It is shorter than a quotation, so no error quotes it either"],
  ),
  ...inFile(
    "core/backend/sealing.ts",
    [
      'const UNOPENED = "";',
      "another text",
      "A mark: no store has it for a version, and a CookieStore takes either for no number",
    ],
    [
      "return { id: presented, text: encodeEmpty(0), version: UNOPENED, lastAccess: -Infinity };",
      "one more",
      "A session that was last used before all time is over, whenever it was made",
    ],
    [
      "if (version === UNSENT) return true;",
      "return nothing",
      "Who takes back what was never sent does not ask whether it was there",
    ],
    [
      "if (version === UNSENT) return true;",
      "the other",
      "Who takes back what was never sent does not ask whether it was there",
    ],
    [
      'next = decodeTombstone(next, left ?? "");',
      "another text",
      "Whatever is no tombstone: it leads nowhere",
    ],
  ),
  ...inFile(
    "data/working_copy.ts",
    [
      "if (!this.updates.has(key)) return;",
      "no return",
      "Nothing to forget: the copy has what the original has",
    ],
  ),
  ...inFile("data/merge.ts", ["let at = 0;", "one more", "Both texts start with a brace"]),
  ...inFile(
    "core/lifecycle.ts",
    ['const id = kind === "moved" ? presented.id : "";', "another text", UNSEEN],
    ["return new Exchange(this, control, { id, lastAccess: 0 }, 0);", "one more", UNSEEN],
  ),
  ...inFile(
    "core/repository.ts",
    [
      'const fresh: KeyedRecord = { id: newId, text: "", version: written.version, lastAccess: 0 };',
      "another text",
      "It is replaced or deleted by its id and version: nobody looks at the rest",
    ],
    [
      'const fresh: KeyedRecord = { id: newId, text: "", version: written.version, lastAccess: 0 };',
      "one more",
      "It is replaced or deleted by its id and version: nobody looks at the rest",
    ],
  ),
  ...inFile(
    "core/subjects/subject_index.ts",
    [
      'return { epoch: crypto.randomUUID(), entries: [{ sealed: "", at: now }] };',
      "another text",
      "No secret opens the one or the other",
    ],
  ),
];
