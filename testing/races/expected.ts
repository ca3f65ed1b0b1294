/** The state of a session that the acknowledged requests must have led to, one after the other. */
import { IDLE } from "./requests.ts";
import type { Left } from "./run.ts";
import type { Values, Visit } from "./visit.ts";

/** Whether an ID must open the session, must not open it, or may do either. */
export type Validity = "valid" | "invalid" | "either";

/** An ID that a session has had. */
interface KnownId {
  readonly id: string;
  /** Whether `rotate()` made it, which leaves the ID before it valid for a while. */
  readonly isRotated: boolean;
  /** When a request was first seen with it, in seconds of the race. */
  presentedAt?: number;
  /** When the session's record certainly said so, in seconds of the race. */
  notedAt?: number;
}

/** The default of `rotateGrace`. */
const GRACE = 30;
/** The most seconds by which the old ID may be valid for longer, on servers with different clocks. */
const GRACE_MARGIN = 2 * 120;

/** The expected state of one session. */
export class ExpectedSession {
  cookie: string;
  subject: string | undefined;
  isEnded = false;
  /**
   * True if the session got its subject while all sessions of that subject were being destroyed. It
   * may then have been destroyed with them, or not.
   */
  isUncertain = false;
  regenerations = 0;
  subjectChanges = 0;
  /** When the current ID was made, in seconds of the race. */
  changedAt = 0;
  /** When the session was last used, in Unix seconds. */
  lastAccess = 0;
  readonly values: Values;
  /** The current ID is the last one. */
  readonly #ids: KnownId[];

  constructor(id: string, cookie: string, values: Values, subject?: string) {
    this.subject = subject;
    this.#ids = [{ id, isRotated: false }];
    this.cookie = cookie;
    this.values = { ...values };
  }

  get id(): string {
    return this.#ids.at(-1)!.id;
  }

  /** Every ID that the session has had. */
  get ids(): string[] {
    return this.#ids.map(({ id }) => id);
  }

  /** Gives the session another ID. */
  move(id: string, cookie: string, seconds: number, isRotated: boolean): void {
    this.#ids.push({ id, isRotated });
    this.cookie = cookie;
    this.changedAt = seconds;
  }

  /** Notes that a request was seen with the current ID. */
  present(seconds: number): void {
    this.#ids.at(-1)!.presentedAt ??= seconds;
  }

  /** Notes that a write has recorded that. */
  confirm(seconds: number): void {
    this.#ids.at(-1)!.notedAt ??= seconds;
  }

  /** Whether the ID opens the session, if it has not ended. */
  validity(id: string | undefined, seconds: number): Validity {
    const at = this.#ids.findIndex((one) => one.id === id);
    if (at === -1) return "either";
    const [next, ...later] = this.#ids.slice(at + 1);
    if (next === undefined) return "valid";
    if (![next, ...later].every(({ isRotated }) => isRotated)) return "invalid";
    const { presentedAt = Infinity, notedAt = Infinity } = next;
    // A second rotation ends the first one's grace. It needs the ID between.
    if (later.length > 0 && presentedAt < Infinity) return "invalid";
    if (seconds <= presentedAt + GRACE) return "valid";
    return seconds > notedAt + GRACE + GRACE_MARGIN ? "invalid" : "either";
  }

  /** Applies the change of a request. */
  apply({ plan: { kind }, made, changedKeys, subject }: Visit): void {
    const { values } = this;
    if (subject.made !== this.subject) {
      this.subjectChanges++;
      // Another user does not take over the lifetime.
      delete values[IDLE];
      if (made[IDLE] !== undefined) values[IDLE] = made[IDLE];
    }
    this.subject = subject.made;
    if (kind.clears) {
      // No request that clears the session sets its lifetime.
      const { [IDLE]: _, ...others } = made;
      for (const key of Object.keys(values)) if (key !== IDLE) delete values[key];
      Object.assign(values, others);
      return;
    }
    for (const key of changedKeys) {
      if (kind.counts !== undefined) values[key] = Number(values[key] ?? 0) + kind.counts;
      else if (made[key] === undefined) delete values[key];
      else values[key] = made[key];
    }
  }

  /** Describes the difference from the session that was found; undefined if they are the same. */
  differsFrom(found: Left): string | undefined {
    const [is, must] = [show(found), show(this)];
    if (is !== must) return `left is ${is}, and it must be ${must}`;
    const back = this.lastAccess - found.lastAccess;
    return back > 0 ? `its last use was set back by ${back} seconds` : undefined;
  }
}

/** Whether the request regenerates the ID: the old one becomes invalid immediately. */
export function isRegeneration({ plan: { kind }, subject }: Visit): boolean {
  return kind.regenerates === true || subject.made !== subject.loaded;
}

/** Whether a request has anything to save. A clear or a restart has, even if the session is empty. */
export function isChange(visit: Visit): boolean {
  const { plan: { kind }, changedKeys } = visit;
  return isRegeneration(visit) || changedKeys.length > 0 ||
    kind.rotates === true || kind.restarts === true || kind.clears === true;
}

function show({ values, subject }: { values: Values; subject: string | undefined }): string {
  const text = JSON.stringify(Object.fromEntries(Object.entries(values).sort()));
  return subject === undefined ? text : `${text} of ${subject}`;
}
