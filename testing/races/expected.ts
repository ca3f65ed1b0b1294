/** The state of a session that the acknowledged requests must have led to, one after the other. */
import type { Left } from "./run.ts";
import type { Values, Visit } from "./visit.ts";

/** The expected state of one session. */
export class ExpectedSession {
  id: string;
  cookie: string;
  subject: string | undefined;
  isEnded = false;
  /**
   * True if the session got its subject while all sessions of that subject were being destroyed. It
   * may then have been destroyed with them, or not.
   */
  isUncertain = false;
  readonly values: Values;

  constructor(id: string, cookie: string, values: Values, subject?: string) {
    this.subject = subject;
    this.id = id;
    this.cookie = cookie;
    this.values = { ...values };
  }

  /** Applies the change of a request. */
  apply({ plan: { kind }, made, changedKeys, subject }: Visit): void {
    const { values } = this;
    this.subject = subject.made;
    if (kind.clears) {
      for (const key of Object.keys(values)) delete values[key];
      Object.assign(values, made);
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
    return is === must ? undefined : `left is ${is}, and it must be ${must}`;
  }
}

/** Whether a request has anything to save. A clear has, even if the session was empty. */
export function isChange({ plan: { kind }, changedKeys }: Visit): boolean {
  return kind.rotates === true || kind.clears === true || changedKeys.length > 0;
}

function show({ values, subject }: Left): string {
  const text = JSON.stringify(Object.fromEntries(Object.entries(values).sort()));
  return subject === undefined ? text : `${text} of ${subject}`;
}
