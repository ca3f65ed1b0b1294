/**
 * Mistakes that let an attacker in, each of which some session library has made: as edits of the
 * sources, with the tests that have to notice.
 */
import type { Mutant } from "./_mutants.ts";

const FORGERY = ["tests/guarantees/forged_cookies_test.ts"];
const SEAL = ["tests/unit/store/_cookie/hourly_format_test.ts"];
const NAMES = [
  "tests/unit/store/_cookie/names_test.ts",
  "tests/unit/store/_cookie/hourly_format_test.ts",
];
const FIXATION = ["tests/guarantees/fixation_test.ts"];
const MIGRATING = ["tests/unit/migrate/migrating_state_test.ts"];
const TOSSING = ["tests/guarantees/cookies_of_sibling_hosts_test.ts"];
const IDS = ["tests/unit/core/id_source_test.ts"];
const INVENTED = ["tests/guarantees/unknown_ids_test.ts"];
const LEAKS = ["tests/guarantees/no_leaks_test.ts", "tests/guarantees/no_leaks_by_drivers_test.ts"];
const CACHES = ["tests/guarantees/shared_caches_test.ts"];

/** A mistake that no race shows. */
const mistake = (
  name: string,
  tests: readonly string[],
  edit: { file: string; find: string; replace: string },
): Mutant => ({ name, by: "tests", tests, ...edit });

const forging: Mutant[] = [
  mistake("a decryption that skips the tag", FORGERY, {
    file: "store/_cookie/format.ts",
    find: 'if (!(error instanceof Error) || error.name !== "OperationError") throw error;',
    // GCM encrypts zeros to the stream that the plaintext was XORed with.
    replace: "const body = (sealed as Uint8Array).subarray(0, -TAG_BYTES);\n" +
      "const zeros = new Uint8Array(body.length);\n" +
      "const stream = await crypto.subtle.encrypt(parameters, key, zeros);\n" +
      "return new Uint8Array(stream, 0, body.length).map((byte, at) => byte ^ body[at]!);",
  }),
  mistake("a seal that does not bind its purpose", FORGERY, {
    file: "store/_cookie/hourly_format.ts",
    find: "this.#keys = secrets.map((secret) => new HourlyKeys(secret, purpose));\n" +
      "    this.#purpose = purpose;",
    replace: 'this.#keys = secrets.map((secret) => new HourlyKeys(secret, ""));\n' +
      'this.#purpose = "";',
  }),
  mistake("a seal that does not bind the name it is carried under", FORGERY, {
    file: "store/_cookie/hourly_format.ts",
    find: "name === undefined\n",
    replace: "name !== null\n",
  }),
  mistake("a purpose and a name that run into each other", NAMES, {
    file: "store/_cookie/hourly_format.ts",
    find: ": JSON.stringify([VERSION, this.#purpose, name])",
    replace: ": `${VERSION} ${this.#purpose} ${name}`",
  }),
  mistake("a middleware that does not say under what a sealed session came", NAMES, {
    file: "core/backend/sealing.ts",
    find: "this.#store.open(presented, { maxAge: this.#maxAge, name, signal })",
    replace: "this.#store.open(presented, { maxAge: this.#maxAge, signal })",
  }),
  mistake("a header that counts as the cookie of its name", NAMES, {
    file: "state/header.ts",
    find: "this.name = `header ${this.#headerName}`;",
    replace: "this.name = this.#headerName;",
  }),
  mistake("a renamed cookie that is opened under its new name", NAMES, {
    file: "migrate/migrating_state.ts",
    find: "return { id: ids.length === 1 ? ids[0]! : ids, mustInject: true, name };",
    replace: "return { id: ids.length === 1 ? ids[0]! : ids, mustInject: true };",
  }),
  mistake("a cookie renamed twice that is opened under the name between", NAMES, {
    file: "migrate/migrating_state.ts",
    find: "return carried(extracted.id, extracted.name ?? name);",
    replace: "return carried(extracted.id, name);",
  }),
  mistake("a key that does not depend on the secret", FORGERY, {
    file: "store/_seal_keys.ts",
    find: 'subtle.importKey("raw", bytesOf(this.#secret), "HKDF"',
    replace: 'subtle.importKey("raw", bytesOf(LABEL), "HKDF"',
  }),
  mistake("a seal whose hour is not range-checked", FORGERY, {
    file: "store/_cookie/hourly_format.ts",
    find: "if (bytes[0] !== VERSION || !this.#canBeFrom(hour, maxAge)) return undefined;",
    replace: "if (bytes[0] !== VERSION) return undefined;",
  }),
  mistake("a remembered value that opens under any name", SEAL, {
    file: "store/_cookie/hourly_format.ts",
    find: "if (known === undefined || known.name !== name) return",
    replace: "if (known === undefined) return",
  }),
  mistake("a remembered value that is not held to its hour", SEAL, {
    file: "store/_cookie/hourly_format.ts",
    find:
      "return this.#canBeFrom(known.hour, maxAge) ? this.#unlessExpired(known.session) : undefined;",
    replace: "return this.#unlessExpired(known.session);",
  }),
  mistake("a remembered value that never expires", SEAL, {
    file: "store/_cookie/hourly_format.ts",
    find:
      "return this.#canBeFrom(known.hour, maxAge) ? this.#unlessExpired(known.session) : undefined;",
    replace: "return this.#canBeFrom(known.hour, maxAge) ? known.session : undefined;",
  }),
  mistake("a remembered value with what was handed in, not what was sealed", SEAL, {
    file: "store/_cookie/hourly_format.ts",
    find: "const remembered = { session: unpack(plain), hour, name };",
    replace: "const remembered = { session, hour, name };",
  }),
  mistake("a sealed session that never expires", FORGERY, {
    file: "store/_cookie/hourly_format.ts",
    find:
      "return this.#now() / 1000 > session.lastAccess + session.lifetime ? undefined : session;",
    replace: "return session;",
  }),
  mistake("a nonce that is always the same", FORGERY, {
    file: "store/_cookie/hourly_format.ts",
    find: "crypto.getRandomValues(bytes.subarray(HEAD_BYTES, BODY));",
    replace: "",
  }),
  mistake("a text of which several are the same bytes", FORGERY, {
    file: "base/base64.ts",
    find: "return this.encode(bytes) === text ? bytes : undefined;",
    replace: "return bytes;",
  }),
  mistake("a revocation that is not asked for", FORGERY, {
    file: "store/cookie.ts",
    find: "return after(this.#findRevocation(id, options), (revocation) => {",
    replace: "return after(undefined as Awaitable<Revocation | undefined>, (revocation) => {",
  }),
  mistake("a machine that fails and counts as another key", [
    "tests/unit/store/cookie_test.ts",
    "tests/unit/store/sealed_tampering_test.ts",
  ], {
    file: "store/_cookie/format.ts",
    find: 'if (!(error instanceof Error) || error.name !== "OperationError") throw error;',
    replace: "",
  }),
];

const planting: Mutant[] = [
  mistake("an id that was presented and is adopted", FIXATION, {
    file: "core/lifecycle.ts",
    find: "? this.records.find(presented, name)",
    replace: "? after(this.records.find(presented, name), (found) => {\n" +
      'if (found.kind === "absent") this.ids.next = () => (delete this.ids.next, presented);\n' +
      "return found;\n})",
  }),
  mistake("regenerate() that keeps the id", FIXATION, {
    file: "core/active_session.ts",
    find: "return Boolean(data._regenerated) || (",
    replace: "return (",
  }),
  mistake("a new subject that keeps the id on every store", FIXATION, {
    file: "core/active_session.ts",
    find: "(record !== undefined && record.subject !== data._subject);",
    replace: "false;",
  }),
  mistake("a rotation that leaves the old id alive", FIXATION, {
    file: "core/repository.ts",
    find: "if (await this.#face.retire(current, newId, tombstone)) return",
    replace: "if (newId !== undefined) return",
  }),
  mistake("of two sessions the one that a sibling domain put first", [
    "tests/guarantees/no_leaks_test.ts",
    "tests/unit/core/lifecycle_commit_test.ts",
  ], {
    file: "core/lifecycle.ts",
    find: "if (found.id !== best.id) return this.#refuse();",
    replace: "if (found.id !== best.id) return best;",
  }),
];

/** Mistakes about several cookies of our name. */
const tossing: Mutant[] = [
  mistake("a crowd of ids of which the first four count", TOSSING, {
    file: "core/lifecycle.ts",
    find: "if (accepted.length > MAX_CANDIDATES) return this.#refuse();",
    replace: "accepted.length = Math.min(accepted.length, MAX_CANDIDATES);",
  }),
  mistake("a crowd of old cookies of which the first four count", MIGRATING, {
    file: "migrate/migrating_state.ts",
    find: "if (values.length > MAX_CANDIDATES) return own;",
    replace: "values = values.slice(0, MAX_CANDIDATES);",
  }),
  mistake("a crowd of another library's cookies of which the first four count", MIGRATING, {
    file: "migrate/legacy_cookie.ts",
    find: "return values.length > MAX_CANDIDATES ? NONE : this.#decodeAll(values);",
    replace: "return this.#decodeAll(values.slice(0, MAX_CANDIDATES));",
  }),
  mistake("a client with two sessions that is taken for a new one", TOSSING, {
    file: "core/lifecycle.ts",
    find: 'return { kind: "ambiguous" };',
    replace: "return ABSENT;",
  }),
  mistake("of several ids the first, dead or alive", TOSSING, {
    file: "core/lifecycle.ts",
    find: '} else if (found.kind === "live" || best.kind === "absent") best = found;',
    replace: "} else return found;",
  }),
];

const flooding: Mutant[] = [
  mistake("a visit that is told an id though nothing was written", INVENTED, {
    file: "core/active_session.ts",
    find: "if (isUntouched && !settings.saveUninitialized) return undefined;",
    replace: "if (isUntouched && !settings.saveUninitialized) return newId ?? this.#shown.id;",
  }),
  mistake("a generator that fails and is replaced by a weaker one", IDS, {
    file: "core/id_source.ts",
    find: "const bytes = crypto.getRandomValues(this.#random);",
    replace: "let bytes = this.#random;\n" +
      "try { crypto.getRandomValues(bytes); }\n" +
      "catch { bytes = bytes.map(() => Math.random() * 256); }",
  }),
  mistake("ids of generateId that nobody looks at", IDS, {
    file: "core/id_source.ts",
    find: "if (this.#isValid(id)) return id;",
    replace: "if (id !== undefined) return id;",
  }),
  mistake("a visit that is stored though nothing was written", INVENTED, {
    file: "core/active_session.ts",
    find: "if (isUntouched && !settings.saveUninitialized) return undefined;",
    replace: "",
  }),
  mistake("a store call for what cannot be an id", INVENTED, {
    file: "core/backend/backend.ts",
    find: "return this.#store.accepts?.(presented) ?? isId(presented);",
    replace: "return true;",
  }),
  mistake("an id's form that is not anchored", INVENTED, {
    file: "core/id_source.ts",
    find: "text.length === ID_DIGITS && !NO_DIGIT.test(text);",
    replace: "/[0-9a-f]{64}/i.test(text);",
  }),
];

const leaking: Mutant[] = [
  mistake("a driver's error that is handed on as it is", LEAKS, {
    file: "core/backend/backend.ts",
    find: "withoutQuotations(cause, quotable)",
    replace: "cause",
  }),
  mistake("a property of a driver's error that is called by the id", [
    "tests/unit/core/backend/redact_error_test.ts",
  ], {
    file: "core/backend/redact_error.ts",
    find: "if (quotes(String(key), texts)) return false;",
    replace: "",
  }),
  mistake("an id in the error's message", LEAKS, {
    file: "core/lifecycle.ts",
    find: '"Cannot update the session: there is none under this id, or not any more"',
    replace: "`Cannot update the session: there is none under ${id}`",
  }),
  mistake("ids in an event", LEAKS, {
    file: "core/lifecycle.ts",
    find: "if (Array.isArray(presented)) return this.#choose([...new Set(presented)], name);",
    replace: "if (Array.isArray(presented)) {\n" +
      'this.settings.emit({ type: "ambiguous", message: presented.join() });\n' +
      "return this.#choose([...new Set(presented)], name);\n}",
  }),
  mistake("a value in the error's message", LEAKS, {
    file: "state/_set_cookie.ts",
    find:
      'throw new TypeError("Cannot set the cookie: the id has characters that no cookie can carry");',
    replace: "throw new TypeError(`Cannot set the cookie: ${value} cannot be sent`);",
  }),
  mistake("a warning on the console", LEAKS, {
    file: "core/options.ts",
    find: "onEvent?.(event);",
    replace: "onEvent?.(event);\nconsole.warn(event.message);",
  }),
  mistake("data in a response's header", LEAKS, {
    file: "core/active_session.ts",
    find: "settings.state.inject(headers, transport, { expire });",
    replace: "settings.state.inject(headers, transport, { expire });\n" +
      'headers.push(["x-session", change.text]);',
  }),
  mistake("a record in hex of which the end is told", [
    "tests/unit/core/backend/redact_error_test.ts",
  ], {
    file: "core/backend/redact_error.ts",
    find: "/[0-9a-f]{64,}/gi",
    replace: "/[0-9a-f]{64}/gi",
  }),
  mistake("a cause that nobody looks through", ["tests/unit/core/backend/redact_error_test.ts"], {
    file: "core/backend/redact_error.ts",
    find: "cause === undefined ? undefined : { cause: inner(cause) }",
    replace: "{ cause }",
  }),
  mistake("a signature that is compared letter by letter", [
    "tests/unit/migrate/legacy_cookie_test.ts",
  ], {
    file: "migrate/connect_signature.ts",
    find: "if (await crypto.subtle.verify(HMAC, key, signature, bytesOf(value))) return value;",
    replace: "for (const secret of key === undefined ? [] : this.#secrets) {\n" +
      'const made = await crypto.subtle.importKey("raw", bytesOf(secret), HMAC, false, ["sign"])\n' +
      ".then((key) => crypto.subtle.sign(HMAC, key, bytesOf(value)));\n" +
      "if (new Uint8Array(made).join() === signature.join()) return value;\n}",
  }),
  mistake("a store whose keys are the ids", ["tests/guarantees/at_rest_test.ts"], {
    file: "store/hashed.ts",
    find: "const key = await sha256(id);",
    replace: "const key = id;",
  }),
];

const caching: Mutant[] = [
  mistake("an id in a response that caches may keep", CACHES, {
    file: "core/active_session.ts",
    find: 'if (cacheControl === undefined) headers.push(["cache-control", "no-store"]);\n' +
      "    else if",
    replace: "if",
  }),
  mistake("a page that depends on the session and does not vary", CACHES, {
    file: "core/active_session.ts",
    find: "return this.control.isAccessed ? this.#lifecycle.settings.state.vary ?? [] : [];",
    replace: "return [];",
  }),
  mistake("an accessor that is refused unseen", CACHES, {
    file: "session.ts",
    find: "this.#control.isAccessed = true;\n    if (mode",
    replace: "if (mode",
  }),
  mistake("an accessor that reads unseen", CACHES, {
    file: "session.ts",
    find: "  #read(): SessionValues {\n    this.#control.isAccessed = true;",
    replace: "  #read(): SessionValues {",
  }),
  mistake("a public response with an id that nobody hears of", CACHES, {
    file: "core/active_session.ts",
    find: "/\\b(public|s-maxage)\\b/i.test(cacheControl)",
    replace: "/^public$/.test(cacheControl)",
  }),
  mistake("a response with an id and an age for any cache that nobody hears of", CACHES, {
    file: "core/active_session.ts",
    find: "!/\\b(private|no-store|no-cache)\\b/i.test(cacheControl)",
    replace: "false",
  }),
];

/** Every such mistake. */
export const SECURITY_MUTANTS: readonly Mutant[] = [
  ...forging,
  ...planting,
  ...tossing,
  ...flooding,
  ...leaking,
  ...caching,
];
