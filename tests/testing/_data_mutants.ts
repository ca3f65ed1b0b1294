/** Mistakes in what a session may hold, as edits of the sources, with the tests that have to notice. */
import type { Mutant } from "./_mutants.ts";

const VALUES = ["tests/unit/data/session_values_test.ts"];
const SIZES = ["tests/unit/core/max_bytes_test.ts"];
const STRUCTURED = ["tests/unit/data/structured_codec_test.ts"];
const RECORDS = ["tests/unit/core/backend/stored_records_test.ts"];
const POLLUTION = ["tests/unit/data/pollution_test.ts"];

const mistake = (
  name: string,
  tests: readonly string[],
  file: string,
  [find, replace]: readonly [find: string, replace: string],
): Mutant => ({ name, by: "tests", tests, file, find, replace });

const refusing: Mutant[] = [
  mistake("a session that is searched only when its text has changed", VALUES, "data/codec.ts", [
    "    const packed = this.#pack(data, base);\n    if (isOurs",
    "    const json = () => { try { return JSON.stringify(data); } catch { return ''; } };\n" +
    "    const texts = [json(), json().replace(/,\"_id\":.*$/, '}')];\n" +
    "    const isSame = base !== undefined && texts.includes(base);\n" +
    "    const packed = isSame ? data : this.#pack(data, base);\n    if (isOurs",
  ]),
  mistake("a nested value from get() that nobody looks at again", VALUES, "session.ts", [
    "if (has(data, key)) return this.#lend(data[key]);",
    "if (has(data, key)) return data[key];",
  ]),
  mistake("a nested value from slice() that nobody looks at again", VALUES, "session.ts", [
    "found.push([key, this.#lend(data[key])]);",
    "found.push([key, data[key]]);",
  ]),
  mistake("data that nobody looks at again", VALUES, "data/working_copy.ts", [
    "    const { data } = this;\n    this.isLent = true;",
    "    const { data } = this;",
  ]),
  mistake("a list whose empty slots are passed over", VALUES, "data/json_values.ts", [
    "    for (let at = 0; at < value.length; at++) {\n" +
    "      if (!isPlain(value[at], depth)) return false;\n    }\n    return true;",
    "    return value.every((nested) => isPlain(nested, depth));",
  ]),
  mistake("a number that is none", VALUES, "data/json_values.ts", [
    "return Number.isFinite(value);",
    "return !Number.isNaN(value);",
  ]),
  mistake("instances of classes that are taken for objects", VALUES, "data/json_values.ts", [
    'return getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");',
    "return true;",
  ]),
  mistake("a toJSON that is called", VALUES, "data/json_values.ts", [
    "if (!hasPlainPrototype(value) || hasToJson(value)) return false;",
    "if (!hasPlainPrototype(value)) return false;",
  ]),
  mistake("a cycle that is followed until the stack is full", VALUES, "data/json_values.ts", [
    "(depth > 0 && isPlainObject(value, depth - 1))",
    "isPlainObject(value, depth)",
  ]),
  mistake("a replayed function whose value nobody looks at", VALUES, "data/codec.ts", [
    "return this.#pack(changed, undefined)[key];",
    "return changed[key];",
  ]),
  mistake("a path that shows values", VALUES, "data/unsupported_value.ts", [
    '  if (typeof value === "number" ||',
    '  if (typeof value === "object") return String(value);\n' +
    '  if (typeof value === "number" ||',
  ]),
];

const limiting: Mutant[] = [
  mistake("a size in letters", SIZES, "data/codec.ts", [
    "const bytes = new TextEncoder().encode(text).length;",
    "const bytes = text.length;",
  ]),
  mistake("a size that is never counted", SIZES, "data/codec.ts", [
    "if (text.length * MAX_BYTES_PER_UNIT <= this.#maxBytes || text === base) return text;",
    "if (text.length <= this.#maxBytes || text === base) return text;",
  ]),
  mistake("a large session that cannot be read", SIZES, "data/codec.ts", [
    "<= this.#maxBytes || text === base) return text;",
    "<= this.#maxBytes) return text;",
  ]),
  mistake("a merge without a limit", SIZES, "data/codec.ts", [
    "return this.#fit(encode(tree, created, subject, mark), undefined);",
    "return encode(tree, created, subject, mark);",
  ]),
  mistake("a change outside of requests without a limit", SIZES, "data/codec.ts", [
    "return this.#fit(encode(packed, created, subject, mark), base);",
    "return encode(packed, created, subject, mark);",
  ]),
];

const tagging: Mutant[] = [
  mistake(
    "a list that looks like a tag and is not escaped",
    STRUCTURED,
    "data/structured_codec.ts",
    [
      'return isTag(value) ? tagged("$", value, depth) : packAll(value, depth);',
      "return packAll(value, depth);",
    ],
  ),
  mistake("a text with tags that does not say so", STRUCTURED, "base/record_text.ts", [
    "fields._codec = codec;",
    "",
  ]),
  mistake("a text without tags that is read as if it had some", STRUCTURED, "data/codec.ts", [
    "if (values === undefined || !isMarked(values)) return values;",
    "if (values === undefined) return values;",
  ]),
  mistake("a text without tags that is merged as if it had some", STRUCTURED, "data/codec.ts", [
    "isEscaped ? values : packValues(values)!",
    "values",
  ]),
  mistake("tags that are shown as data where they mean nothing", STRUCTURED, "data/codec.ts", [
    'if (this.#name === "json") return undefined;',
    'if (this.#name === "json") return values;',
  ]),
  mistake("a replayed function that is handed tags", STRUCTURED, "data/codec.ts", [
    'const known = this.#name === "structured" ? unpack(value) : value;',
    "const known = value;",
  ]),
  mistake("an update of a Date that is never replayed", STRUCTURED, "data/codec.ts", [
    'return JSON.stringify(pack(value)) ?? "";',
    "return JSON.stringify(value);",
  ]),
  mistake(
    "a class that is written as what it derives from",
    STRUCTURED,
    "data/structured_codec.ts",
    [
      "const tag = TAGS.get(Object.getPrototypeOf(value));",
      "const tag = TAGS.get(Object.getPrototypeOf(value)) ??\n" +
      "    TAGS.get(Object.getPrototypeOf(Object.getPrototypeOf(value)));",
    ],
  ),
  mistake("a property of a Date that is lost", STRUCTURED, "data/structured_codec.ts", [
    "return isBare ? tagged(tag, value, depth) : undefined;",
    "return isBare || depth >= 0 ? tagged(tag, value, depth) : undefined;",
  ]),
  mistake(
    "a tag that is written deeper than it can be read",
    STRUCTURED,
    "data/structured_codec.ts",
    [
      "if (depth === 0) return undefined;",
      "",
    ],
  ),
  mistake("a tag that nobody wrote and that fails the request", STRUCTURED, "data/codec.ts", [
    "return unpack(values) as SessionValues;\n    } catch {\n      return undefined;",
    "return unpack(values) as SessionValues;\n    } catch (error) {\n      throw error;",
  ]),
  mistake("a tag that is looked up in a prototype", STRUCTURED, "data/structured_codec.ts", [
    "Object.hasOwn(KINDS, tag) ? KINDS[tag]!.unpack(items) : fail()",
    "KINDS[tag] ? KINDS[tag]!.unpack(items) : items",
  ]),
];

const reading: Mutant[] = [
  mistake("a record that is nested too deep", RECORDS, "base/record_text.ts", [
    "if (hasManyLevels(text) && !isShallow(values, MAX_DEPTH)) return undefined;",
    "",
  ]),
  mistake("a depth that is counted in lists alone", RECORDS, "base/record_text.ts", [
    'for (const sign of ["]", "}"]) {',
    'for (const sign of ["]"]) {',
  ]),
  mistake("a session that was made in the infinite", RECORDS, "base/record_text.ts", [
    "if (!Number.isFinite(_created)) return undefined;",
    'if (typeof _created !== "number") return undefined;',
  ]),
  mistake("a record with a huge number that fails each request", RECORDS, "data/codec.ts", [
    "if (keeper !== KEEPERS[this.#name]) return data;",
    "",
  ]),
  mistake("a codec of which nobody knows", RECORDS, "base/record_text.ts", [
    "if (_codec !== undefined && _codec !== STRUCTURED) return undefined;",
    "",
  ]),
];

const polluting: Mutant[] = [
  mistake("a key that is assigned, whatever its name", POLLUTION, "data/session_values.ts", [
    'if (key !== "__proto__") data[key] = value;',
    'if (key !== "") data[key] = value;',
  ]),
  mistake("data with a prototype", POLLUTION, "data/working_copy.ts", [
    "Object.setPrototypeOf(data, null);",
    "",
  ]),
  mistake("a text that is made of an object with a prototype", POLLUTION, "base/record_text.ts", [
    "const fields: SessionValues = Object.create(null);",
    "const fields: SessionValues = {};",
  ]),
  mistake("a merge into an object with a prototype", POLLUTION, "data/codec.ts", [
    "return Object.setPrototypeOf(isEscaped ? values : packValues(values)!, null);",
    "return { ...(isEscaped ? values : packValues(values)!) };",
  ]),
  mistake("keys that are looked up in a prototype", POLLUTION, "data/session_values.ts", [
    "return Object.hasOwn(data, key) && data[key] !== undefined;",
    "return data[key] !== undefined;",
  ]),
];

export const DATA_MUTANTS: readonly Mutant[] = [
  ...refusing,
  ...limiting,
  ...tagging,
  ...reading,
  ...polluting,
];
