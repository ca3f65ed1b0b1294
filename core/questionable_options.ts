/** Reports options that are allowed, but cannot be kept as they are or are probably mistakes. */
import { MAX_COOKIE_AGE } from "../base/limits.ts";
import { toUtf8 } from "../base/utf8.ts";
import type { ResolvedOptions, SessionOptions } from "./options.ts";

const MIN_SECRET_BYTES = 32;
/** Seconds that a request should not wait for the store. */
const LONG_TIMEOUT = 60;
/** Seconds after which nobody expects a late response. */
const LONG_GRACE = 3600;

/** Emits an event for each option that is questionable. */
export function reportQuestionable(options: SessionOptions, resolved: ResolvedOptions): void {
  const { secrets, expire, touchInterval, absoluteExpire, state, emit } = resolved;
  if (toUtf8(secrets[0]!).length < MIN_SECRET_BYTES) {
    emit({
      type: "short-secret",
      message:
        `The secret has less than ${MIN_SECRET_BYTES} bytes, so that an attacker could find ` +
        "it by trying. It makes IDs and encrypts the lists of sessions. Set it to the output of: " +
        "openssl rand -hex 32",
    });
  }
  const report = (message: string) => emit({ type: "questionable-option", message });
  const { storeTimeout, rotateGrace } = resolved;
  if (options.touchInterval !== undefined && options.touchInterval > touchInterval) {
    report(
      `touchInterval is ${options.touchInterval} seconds, but it can be a twentieth of expire at ` +
        `most. ${touchInterval} seconds are used`,
    );
  }
  if (options.expire !== undefined && expire > absoluteExpire) {
    report(
      `expire is ${expire} seconds, but absoluteExpire ends each session after ${absoluteExpire} ` +
        "seconds. Set expire to less",
    );
  }
  if (!state.isExplicit) {
    const { maxAge = expire } = state;
    if (maxAge !== false && maxAge > MAX_COOKIE_AGE) {
      report(
        `The cookie is to live for ${maxAge} seconds, but browsers keep it for 400 days ` +
          `(${MAX_COOKIE_AGE} seconds) at most. If these are milliseconds, divide them by 1000`,
      );
    }
    if (maxAge !== false && maxAge < Math.min(expire, absoluteExpire)) {
      report(
        `The cookie lives for ${maxAge} seconds, so the client loses its session before expire ` +
          `(${expire} seconds). Leave out maxAge, or set expire to less`,
      );
    }
  }
  const limits = [["storeTimeout", storeTimeout, LONG_TIMEOUT], [
    "rotateGrace",
    rotateGrace,
    LONG_GRACE,
  ]] as const;
  for (const [name, seconds, limit] of limits) {
    if (seconds <= limit) continue;
    report(
      `${name} is ${seconds} seconds. If these are milliseconds, set it to ${seconds / 1000}`,
    );
  }
}
