/** Mistakes in how session data is checked, encoded and decoded. */
import { mistake, type Mutant } from "./_mutant.ts";

const VALUES = ["session_values_test.ts"];
const SIZES = ["max_bytes_test.ts"];
const STRUCTURED = ["structured_codec_test.ts"];
const RECORDS = ["stored_records_test.ts"];
const POLLUTION = ["pollution_test.ts"];

/** Mistakes with values that a codec does not support. */
const refusing: Mutant[] = [
  mistake("unsupported values that are only searched for when the text has changed", VALUES, {
    find: "const $tree = this.$toTree($data, $base); if ($isUntouched && $tree === $data) {",
    replace:
      'const json = () => { try { return JSON.stringify($data); } catch { return ""; } };\n' +
      'const texts = [json(), json().replace(/,"_id":.*$/, "}")];\n' +
      "const isSame = $base !== undefined && texts.includes($base);\n" +
      "const $tree = isSame ? $data : this.$toTree($data, $base);\n" +
      "if ($isUntouched && $tree === $data) {",
  }),
  mistake("a nested value from get() whose changes are not noticed", VALUES, {
    find: "if ($has($data, $key)) return this.$handOut($data[$key]);",
    replace: "if ($has($data, $key)) return $data[$key];",
  }),
  mistake("a nested value from slice() whose changes are not noticed", VALUES, {
    find: "$found.push([$key, this.$handOut($data[$key])]);",
    replace: "$found.push([$key, $data[$key]]);",
  }),
  mistake("`data` whose changes are not noticed", VALUES, {
    find: "const { $data, $mode } = this; this.$maybeDirty = true;",
    replace: "const { $data, $mode } = this;",
  }),
  mistake("an array whose empty slots are accepted", VALUES, {
    find: "for (let $at = 0; $at < $value.length; $at++) { if (!$isPlain($value[$at], $depth)) " +
      "return false; } return true;",
    replace: "return $value.every((nested) => $isPlain(nested, $depth));",
  }),
  mistake("an infinite number that is accepted", VALUES, {
    find: 'case "number": return Number.isFinite($value);',
    replace: 'case "number":\n' +
      "return !Number.isNaN($value);",
  }),
  mistake("a class instance that counts as a plain object", VALUES, {
    find: "return $getPrototypeOf($prototype) === null && Object.hasOwn($prototype, " +
      '"isPrototypeOf");',
    replace: "return true;",
  }),
  mistake("a toJSON() that is called", VALUES, {
    find: "if (!$hasPlainPrototype($value) || $hasToJson($value)) return false;",
    replace: "if (!$hasPlainPrototype($value)) return false;",
  }),
  mistake("a cyclic value that overflows the stack", VALUES, {
    find: "($depth > 0 && $isPlainObject($value, $depth - 1))",
    replace: "$isPlainObject($value, $depth)",
  }),
  mistake("a replayed function whose result is not checked", VALUES, {
    find: "return this.$toTree($changed, undefined)[$key];",
    replace: "return $changed[$key];",
  }),
  mistake("an error path that shows values", VALUES, {
    find: 'if (typeof $value === "number" || $value === undefined) return String($value);',
    replace: 'if (typeof $value === "object") return String($value);\n' +
      'if (typeof $value === "number" || $value === undefined) return String($value);',
  }),
];

/** Mistakes in the size limit. */
const limiting: Mutant[] = [
  mistake("a size in characters instead of bytes", SIZES, {
    find: "const $bytes = new TextEncoder().encode($text).length;",
    replace: "const $bytes = $text.length;",
  }),
  mistake("a size limit that is never checked", SIZES, {
    find: "if ($text.length * $factor <= this.$maxBytes || $text === $base) return $text;",
    replace: "if ($text.length <= this.$maxBytes || $text === $base) return $text;",
  }),
  mistake("a size limit that also applies to reading", SIZES, {
    find: "if ($text.length * $factor <= this.$maxBytes || $text === $base) return $text;",
    replace: "if ($text.length * $factor <= this.$maxBytes) return $text;",
  }),
  mistake("a merge without a size limit", SIZES, {
    find: "return this.$checkSize($encode($tree, $created, $subject, $codec), undefined);",
    replace: "return $encode($tree, $created, $subject, $codec);",
  }),
  mistake("a change outside of requests without a size limit", SIZES, {
    find: "return this.$encodeTree(this.$toTree($values, $base), $values, $created, $subject, " +
      "$base);",
    replace: "return encodeSession(this.$toTree($values, $base), $created, $subject);",
  }),
];

/** Mistakes in the structured codec. */
const tagging: Mutant[] = [
  mistake("an array that looks like a tag and is not escaped", STRUCTURED, {
    find: 'return $isTag($value) ? $tagged("$", $value, $depth) : $toItems($value, $depth);',
    replace: "return $toItems($value, $depth);",
  }),
  mistake("a record with tags that is not marked", STRUCTURED, {
    find: "$fields._codec = $codec;",
    replace: "",
  }),
  mistake("a record without tags that is decoded as if it had some", STRUCTURED, {
    find: "if ($values === undefined || !$isTagged($values)) return $values;",
    replace: "if ($values === undefined) return $values;",
  }),
  mistake("a record without tags that is merged as if it had some", STRUCTURED, {
    find: "Object.setPrototypeOf($hasTags ? $values : $toTagged($values)!, null)",
    replace: "Object.setPrototypeOf($values, null)",
  }),
  mistake("tags that the codec json returns as data", STRUCTURED, {
    find: 'if (this.$name === "json") return undefined; delete $values._codec;',
    replace: 'if (this.$name === "json") return $values;\n' +
      "delete $values._codec;",
  }),
  mistake("a replayed function that receives tags", STRUCTURED, {
    find: 'const $known = this.$name === "structured" ? $fromTagged($value) : $value;',
    replace: "const $known = $value;",
  }),
  mistake("an update() of a Date that is never replayed", STRUCTURED, {
    find: 'return JSON.stringify($toTagged($value)) ?? "";',
    replace: "return JSON.stringify($value);",
  }),
  mistake("a class instance that is encoded as its base class", STRUCTURED, {
    find: "const $tag = $tags.get(Object.getPrototypeOf($value));",
    replace: "const $tag = $tags.get(Object.getPrototypeOf($value)) ??\n" +
      "$tags.get(Object.getPrototypeOf(Object.getPrototypeOf($value)));",
  }),
  mistake("a Date whose extra property is lost", STRUCTURED, {
    find: "return $isBare ? $tagged($tag, $value, $depth) : undefined;",
    replace: "return $isBare || $depth >= 0 ? $tagged($tag, $value, $depth) : undefined;",
  }),
  mistake("a tag that is encoded deeper than it can be decoded", STRUCTURED, {
    find: "if ($depth === 0) return undefined; switch",
    replace: "switch",
  }),
  mistake("an unknown tag that makes the request fail", STRUCTURED, {
    find: "return $fromTagged($values) as $Values; } catch { return undefined;",
    replace: "return $fromTagged($values) as $Values;\n" +
      "} catch (error) {\n" +
      "throw error;",
  }),
  mistake("a tag that is looked up on the prototype", STRUCTURED, {
    find: "Object.hasOwn($kinds, $tag) ? $kinds[$tag]!.$fromItems($items) : $fail()",
    replace: "$kinds[$tag] ? $kinds[$tag]!.$fromItems($items) : $items",
  }),
];

/** Mistakes with malformed records. */
const reading: Mutant[] = [
  mistake("a record with too many levels that is accepted", RECORDS, {
    find: "if ($mayBeTooDeep($text) && !$isShallow($values, $max)) return undefined;",
    replace: "",
  }),
  mistake("a depth limit that counts only arrays", RECORDS, {
    find: 'for (const $sign of ["]", "}"]) {',
    replace: 'for (const $sign of ["]"]) {',
  }),
  mistake("an infinite creation time that is accepted", RECORDS, {
    find: "if (!Number.isFinite(_created)) return undefined;",
    replace: 'if (typeof _created !== "number") return undefined;',
  }),
  mistake("a record with a huge number that makes requests fail", RECORDS, {
    find: "if ($rule !== $rules[this.$name]) return $data;",
    replace: "",
  }),
  mistake("a record with an unknown codec that is accepted", RECORDS, {
    find: "if (_codec !== undefined && _codec !== $structured) return undefined;",
    replace: "",
  }),
];

/** Mistakes with keys of prototypes. */
const polluting: Mutant[] = [
  mistake("a key __proto__ that is assigned", POLLUTION, {
    find: 'if ($key !== "__proto__") $values[$key] = $value;',
    replace: 'if ($key !== "") $values[$key] = $value;',
  }),
  mistake("session data with a prototype", POLLUTION, {
    beside: "$data._id = this.id;",
    find: "Object.setPrototypeOf($data, null);",
    replace: "",
  }),
  mistake("a record that is encoded from an object with a prototype", POLLUTION, {
    find: "const $fields: $Values = Object.create(null); $fields._created",
    replace: "const $fields: $Values = {};\n" +
      "$fields._created",
  }),
  mistake("a merge into an object with a prototype", POLLUTION, {
    find: "return Object.setPrototypeOf($hasTags ? $values : $toTagged($values)!, null);",
    replace: "return { ...($hasTags ? $values : $toTagged($values)!) };",
  }),
  mistake("keys that are looked up on the prototype", POLLUTION, {
    find: "return Object.hasOwn($values, $key) && $values[$key] !== undefined;",
    replace: "return $values[$key] !== undefined;",
  }),
];

export const DATA_MUTANTS: readonly Mutant[] = [
  ...refusing,
  ...limiting,
  ...tagging,
  ...reading,
  ...polluting,
];
