/** Redacts errors of drivers that quote an ID or a record: in part, nested, in hidden properties. */
import { redactError } from "../../core/backend/redact_error.ts";
import { everything } from "../_kit/leaks.ts";
import { type Campaign, failure } from "./_campaign.ts";
import { Random } from "./_random.ts";

/** A quotation of this many characters is a leak. */
const LEAK_LENGTH = 12;

/** The redacted error quotes neither the ID nor the record. An error that quotes nothing is unchanged. */
export const leaksQuoted: Campaign = {
  name: "leaks-quoted",
  counts: { long: 100_000, brief: 3_000 },
  run(count, seed) {
    const random = new Random(seed);
    const seen = { copies: 0, untouched: 0 };
    for (let at = 0; at < count; at++) {
      const id = random.bytes(32).toHex();
      const text = JSON.stringify({
        _created: 1,
        card: random.bytes(1 + random.below(60)).toBase64(),
      });
      const texts = [id, text];
      const isQuoting = random.chance(80);
      const error = new Driver(random, isQuoting ? texts : []).error(3);
      const redacted = redactError(error, texts);
      const stretch = everything(redacted, new Set()).find((line) => quotes(line, texts));
      if (stretch !== undefined) {
        throw failure("The redacted error still quotes", { case: at, id, text, stretch, error });
      }
      if (redacted !== error) seen.copies++;
      else seen.untouched++;
    }
    return `${seen.copies} copies, ${seen.untouched} unchanged`;
  },
};

function quotes(line: string, texts: readonly string[]): boolean {
  for (let at = 0; at + LEAK_LENGTH <= line.length; at++) {
    const part = line.slice(at, at + LEAK_LENGTH);
    if (texts.some((text) => text.includes(part))) return true;
  }
  return false;
}

/** Creates errors as drivers do. */
class Driver {
  readonly #random: Random;
  readonly #texts: readonly string[];

  constructor(random: Random, texts: readonly string[]) {
    this.#random = random;
    this.#texts = texts;
  }

  /** An error with up to `depth` nested causes. */
  error(depth: number): unknown {
    const random = this.#random;
    if (random.chance(3)) return this.#line();
    if (random.chance(3)) return { args: [this.#line()] };
    const cause = depth > 0 && random.chance(40) ? this.error(depth - 1) : undefined;
    const options = cause === undefined ? undefined : { cause };
    const error = random.chance(15)
      ? new AggregateError([this.error(0), this.error(0)], this.#line(), options)
      : new Error(this.#line(), options);
    if (random.chance(20)) error.name = "ReplyError";
    if (random.chance(30)) Object.assign(error, { code: this.#code() });
    for (const key of ["detail", "command", "parameters", "where"]) {
      if (!random.chance(20)) continue;
      const value = random.pick([this.#line(), [this.#line()], { args: [this.#line()] }]);
      Object.defineProperty(error, key, { value, enumerable: random.chance(50) });
    }
    return error;
  }

  #code(): unknown {
    return this.#random.pick(["ECONNREFUSED", 1062, -111, "23514", this.#line()]);
  }

  /** A message that quotes a text, or a part of one. */
  #line(): string {
    const random = this.#random;
    const before = random.pick(["ERR ", "Duplicate entry '", "", "Failing row contains ("]);
    if (this.#texts.length === 0) return `${before}no luck`;
    const text = random.pick(this.#texts);
    const from = random.chance(50) ? 0 : random.below(text.length);
    const to = random.chance(50) ? text.length : from + random.below(text.length - from + 1);
    const quoted = random.chance(10) ? text.slice(from, to).repeat(3) : text.slice(from, to);
    return `${before}${quoted}${random.pick(["'", ")", "", " for key"])}`;
  }
}
