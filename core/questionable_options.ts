/** Reports options that are allowed, but cannot be kept as they are or are probably mistakes. */
import { MAX_COOKIE_AGE } from "../base/limits.ts";
import { toUtf8 } from "../base/utf8.ts";
import type { ResolvedOptions, SessionOptions } from "./options.ts";

const MIN_SECRET_BYTES = 32;
/** Seconds above which milliseconds were probably meant. */
const LIMITS = [["storeTimeout", 60], ["rotateGrace", 3600]] as const;

/** Emits an event for each option that is questionable. */
export function reportQuestionable(options: SessionOptions, resolved: ResolvedOptions): void {
  const { secrets, expire, touchInterval, absoluteExpire, state, emit } = resolved;
  if (toUtf8(secrets[0]!).length < MIN_SECRET_BYTES) {
    emit({
      type: "short-secret",
      message:
        `The secret has less than ${MIN_SECRET_BYTES} bytes, so it could be guessed. Use the ` +
        "output of: openssl rand -hex 32",
    });
  }
  const report = (isWrong: boolean | undefined, message: string) => {
    if (isWrong) emit({ type: "questionable-option", message });
  };
  report(
    options.touchInterval !== undefined && options.touchInterval > touchInterval,
    `touchInterval is ${options.touchInterval} seconds, and ${touchInterval} are used: a twentieth ` +
      "of expire is the most",
  );
  report(
    options.expire !== undefined && expire > absoluteExpire,
    `expire is ${expire} seconds, but absoluteExpire ends sessions after ${absoluteExpire}`,
  );
  const { maxAge = expire } = state;
  if (maxAge !== false && !state.isExplicit) {
    report(
      maxAge > MAX_COOKIE_AGE,
      `The cookie is to live for ${maxAge} seconds. Browsers keep it for ${MAX_COOKIE_AGE} (400 ` +
        `days) at most. expire and maxAge are in seconds: is ${maxAge / 1000} what you mean?`,
    );
    report(
      maxAge < Math.min(expire, absoluteExpire),
      `The cookie lives for ${maxAge} seconds, so its client loses the session before expire, which ` +
        `is ${expire}`,
    );
  }
  for (const [name, limit] of LIMITS) {
    const seconds = resolved[name];
    report(
      seconds > limit,
      `${name} is ${seconds} seconds. It is in seconds: is ${seconds / 1000} what you mean?`,
    );
  }
}
