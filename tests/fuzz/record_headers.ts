/** Encodes and decodes random headers of session records, and decodes damaged ones. */
import { CookieState, MemoryStore } from "@pagi/session";
import { encodeMessage } from "../../base/flash_message.ts";
import type { SessionLifetime } from "../../base/lifetime.ts";
import {
  decodeHeader,
  encodeHeader,
  findJson,
  isHeaderTime,
  newHeader,
  type RecordHeader,
} from "../../base/record_header.ts";
import { examine, type Lookup } from "../../core/lookup.ts";
import { resolveOptions } from "../../core/options.ts";
import { type Campaign, failure } from "./_campaign.ts";
import { Random } from "./_random.ts";

const NOW = 1_700_000_000;
const EXPIRE = 3600;
const ABSOLUTE = 86_400;
/** Seconds by which the clocks of two servers may differ. */
const SKEW = 120;
const KEY = "0".repeat(32);
/** The letters of the known fields. */
const KNOWN = "ruacpoxwfl";
/** Characters that a header contains, and some that it must not. */
const LETTERS = `${KNOWN}gs1: {}0129abfzZ-+.eEN"\0é\u{1f600}\n\t`;
const JSONS = [
  `{"_created":${NOW}}`,
  `{"_created":${NOW},"a b":" r1 x {"}`,
  "{}",
  "{",
  '{"_created":1e9}',
];

/** Every header comes back from its text, with any JSON behind it. */
export const recordHeaders: Campaign = {
  name: "record-headers",
  counts: { long: 1_000_000, brief: 20_000 },
  run(count, seed) {
    const random = new Random(seed);
    let longest = 0;
    for (let at = 0; at < count; at++) {
      const header = headerOf(random);
      const encoded = encodeHeader(header);
      const text = encoded + random.pick(JSONS);
      const end = findJson(text);
      const decoded = end === encoded.length ? decodeHeader(text, end) : undefined;
      if (JSON.stringify(decoded) !== JSON.stringify(header)) {
        throw failure("A header did not come back", { case: at, header, text, decoded });
      }
      longest = Math.max(longest, encoded.length);
    }
    return `${count} headers came back as they were, the longest with ${longest} characters`;
  },
};

/**
 * A text that no release has written is the text of a session or not, but reading it never throws.
 * Its meaning is clear: it is encoded as it was understood, and such a session ends.
 */
export const recordTexts: Campaign = {
  name: "record-texts",
  counts: { long: 1_000_000, brief: 20_000 },
  run(count, seed) {
    const random = new Random(seed);
    const found: Record<string, number> = {};
    for (let at = 0; at < count; at++) {
      const text = random.chance(80)
        ? damaged(random)
        : random.some(60, () => random.pick(LETTERS)).join("");
      try {
        const lookup = read(text, random);
        const name = lookup.status === "absent" ? lookup.reason : lookup.status;
        found[name] = (found[name] ?? 0) + 1;
      } catch (cause) {
        throw failure("A text is misread", { case: at, text, cause });
      }
    }
    return Object.entries(found).map(([name, times]) => `${times} ${name}`).join(", ");
  },
};

/** A header with some of the fields. */
function headerOf(random: Random): RecordHeader {
  const number = () => random.chance(20) ? 36 ** 8 - 1 - random.below(9) : random.below(2 ** 32);
  const time = () => random.chance(50) ? number() : undefined;
  const verifier = () => random.bytes(16).toHex();
  return {
    ...newHeader(random.chance(90) ? verifier() : ""),
    regenerations: random.chance(50) ? number() : 0,
    subjectChanges: random.chance(50) ? number() : 0,
    signedInAt: time(),
    replacedAt: time(),
    presentedAt: time(),
    sentAt: time(),
    replaced: random.some(9, () => ({
      verifier: verifier(),
      isRotated: random.chance(50),
      at: number(),
    })),
    lifetime: random.chance(50) ? lifetime(random) : undefined,
    messages: random.some(9, () => encodeMessage(kindOrText(random), kindOrText(random))),
    tokens: random.some(9, () => ({ token: random.bytes(6).toHex(), at: number() })),
    others: random.some(3, () => otherField(random)),
  };
}

/** A lifetime with some of its properties. */
function lifetime(random: Random): SessionLifetime {
  const seconds = () => 1 + random.below(10 * 365 * 86_400);
  return {
    ...random.chance(50) && { idle: seconds() },
    ...random.chance(50) && { absolute: seconds() },
    ...random.chance(50) && { persistent: random.chance(50) },
  };
}

/** A kind or a text of a message. */
function kindOrText(random: Random): string {
  return random.some(20, () => random.pick(LETTERS)).join("");
}

/** A field of a later release: anything without a space and a brace that starts with a new letter. */
function otherField(random: Random): string {
  const letters = [...LETTERS].filter((letter) => letter !== " " && letter !== "{");
  const first = random.pick(letters.filter((letter) => !KNOWN.includes(letter)));
  return first + random.some(9, () => random.pick(letters)).join("");
}

/** The text of a session in which some characters were changed, removed or added. */
function damaged(random: Random): string {
  let text = encodeHeader(headerOf(random)) + random.pick(JSONS);
  for (let edits = 1 + random.below(4); edits > 0; edits--) {
    const at = random.below(text.length + 1);
    const removed = random.below(3);
    text = text.slice(0, at) + random.some(2, () => random.pick(LETTERS)).join("") +
      text.slice(at + removed);
  }
  return text;
}

/** Looks up an ID of the record, as for a client that sends it. */
function read(text: string, random: Random): Lookup {
  const end = findJson(text);
  const header = end < 0 ? undefined : decodeHeader(text, end);
  if (header !== undefined) check(header);
  const verifier = random.pick([header?.verifier, header?.replaced.at(-1)?.verifier, undefined]);
  const record = { key: KEY, text, version: "1", lastAccess: NOW };
  const idle = header?.lifetime?.idle ?? EXPIRE;
  const unused = examine(record, verifier, optionsAt(NOW + 2 * idle));
  if (unused.status === "active") throw new Error("A session that nobody uses does not end");
  const late = NOW + ABSOLUTE + 1;
  const used = examine({ ...record, lastAccess: late }, verifier, optionsAt(late));
  if (used.status === "active") {
    // A creation in the future is a fault of the JSON, not of the header.
    const signedInAt = header?.signedInAt ?? 0;
    const mayBeActive = used.created > NOW || (signedInAt > NOW && signedInAt <= late + SKEW);
    if (!mayBeActive) throw new Error("A session in use does not end");
  }
  return examine(record, verifier, optionsAt(NOW));
}

/** Throws if a header has an impossible value, or another meaning when it is written again. */
function check(header: RecordHeader): void {
  const { regenerations, subjectChanges, signedInAt, replacedAt, presentedAt, sentAt } = header;
  const times = [signedInAt, replacedAt, presentedAt, sentAt].filter((time) => time !== undefined);
  const dated = [...header.replaced, ...header.tokens].map(({ at }) => at);
  for (const number of [regenerations, subjectChanges, ...times, ...dated]) {
    if (!isHeaderTime(number)) throw new Error(`The header has the number ${number}`);
  }
  const again = encodeHeader(header) + "{}";
  if (JSON.stringify(decodeHeader(again, findJson(again))) !== JSON.stringify(header)) {
    throw new Error(`The header means something else when it is written again: ${again}`);
  }
}

function optionsAt(seconds: number) {
  const options = {
    secret: "the secret of the tests: 32 bytes or more",
    expire: EXPIRE,
    absoluteExpire: ABSOLUTE,
    now: () => seconds * 1000,
  };
  return resolveOptions(options, {
    state: () => new CookieState(),
    store: () => new MemoryStore(),
  });
}
