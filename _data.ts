/** A session's data as the app sees it: its keys, and PAGI's reserved ones in front. */
import type { SessionValues } from "./_codec.ts";
import type { LiveRecord } from "./_session_records.ts";

/** The data of a session without keys of the app's. It has no prototype: every key is data. */
export function newData(id: string, created: number, lastAccess: number): SessionValues {
  const data: SessionValues = Object.create(null);
  data._id = id;
  data._created = created;
  data._last_access = lastAccess;
  return data;
}

/** The data of a stored session. */
export function viewOf(record: LiveRecord, lastAccess: number): SessionValues {
  const data = newData(record.id, record.created, lastAccess);
  if (record.subject !== undefined) data._subject = record.subject;
  for (const key of Object.keys(record.values)) data[key] = record.values[key];
  return data;
}

/** Makes `value` read-only through and through. */
export function deepFreeze<T extends object>(value: T): T {
  for (const nested of Object.values(value)) {
    if (typeof nested === "object" && nested !== null) deepFreeze(nested);
  }
  return Object.freeze(value);
}
