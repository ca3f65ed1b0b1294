/** Mistakes with several States, with sessions that are saved early, and with several middlewares. */
import { mistake, type Mutant } from "./_mutant.ts";

const FIRST = ["tests/unit/state/first_test.ts"];

/** Mistakes of a FirstState, and of the middleware that has one. */
const first: Mutant[] = [
  mistake("an unknown token after which the cookie is tried", FIRST, {
    find: 'if (typeof $extracted === "string" || Array.isArray($extracted)) ' +
      "return $extracted.length > 0;",
    replace: 'if (typeof $extracted === "string" || Array.isArray($extracted)) ' +
      "return $extracted.length === 64;",
  }),
  mistake("an empty list that counts as an ID", FIRST, {
    find: 'if (typeof $extracted === "string" || Array.isArray($extracted)) ' +
      "return $extracted.length > 0;",
    replace: 'if (typeof $extracted === "string") return $extracted.length > 0;\n' +
      "if (Array.isArray($extracted)) return true;",
  }),
  mistake("an ID that is sent by another State than the one that found it", FIRST, {
    find: "this.$own = $origin.$state ?? $parts.options.$state;",
    replace: "this.$own = $parts.options.$state;",
  }),
  mistake("a replaced ID in a header that is refused, because browsers have a cookie", FIRST, {
    find: "const { isExplicit } = $lookup.state ?? this.options.state;\n" +
      "if (isExplicit) return this.$openNew(",
    replace: "const { isExplicit } = this.options.state;\nif (isExplicit) return this.$openNew(",
  }),
  mistake("an encrypted session that is bound to the last of several States", FIRST, {
    find: 'if ($lookup.status === "active") $lookup.name = $state.name;',
    replace: "",
  }),
  mistake("a new encrypted session that is bound to the last of several States", FIRST, {
    find: "createOnce($backend, $backend.keyOf($id), $text, $expiry, $name)",
    replace: "createOnce($backend, $backend.keyOf($id), $text, $expiry)",
  }),
  mistake("an encrypted session that any of several States may carry", FIRST, {
    find: "const $lookup = await this.$lookUp($extracted, $state.name);",
    replace: "const $lookup = await this.$lookUp($extracted);",
  }),
];

export const SAVE_MUTANTS: readonly Mutant[] = [...first];
