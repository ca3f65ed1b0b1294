/** A cookie format, on a clock that tests move. */
import type { CookieSession } from "../../store/_cookie/format.ts";
import { HourlyFormat, type HourlyFormatOptions } from "../../store/_cookie/hourly_format.ts";
import { fakeClock, idOf } from "./helpers.ts";

export const SECRET = "the first secret, of more than 32 bytes";
export const OTHER = "another secret, of more than 32 bytes";
export const HOUR = 3600;

/** A format that remembers nothing, so that what it opens was decrypted; a session; others of its kind. */
export function sealWith(options: Partial<HourlyFormatOptions> = {}) {
  const clock = fakeClock(1_700_000_000);
  const common: HourlyFormatOptions = {
    secrets: [SECRET],
    purpose: "session",
    maxSize: 4095,
    now: clock.now,
  };
  const make = (other: Partial<HourlyFormatOptions> = {}) =>
    new HourlyFormat({ ...common, ...options, ...other });
  const session: CookieSession = {
    id: idOf("5"),
    text: 's1:{"_created":1700000000,"user":"ada"}',
    lastAccess: 1_700_000_000,
    lifetime: HOUR,
    generation: "",
  };
  return { clock, make, format: make(), session };
}

/** Opens a value of any age. */
export const open = async (
  format: HourlyFormat,
  value: string,
  maxAge = Infinity,
  name?: string,
) => await format.decrypt(value, maxAge, name);
