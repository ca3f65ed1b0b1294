/** Creates a record, also if the store receives the call twice. */
import { after, type Awaitable, isPromise } from "../../base/awaitable.ts";
import { isEnded } from "../../base/record_text.ts";
import { interrupted } from "../race_errors.ts";
import type { Backend, Expiry, WriteResult } from "./backend.ts";

/**
 * Writes a record under a key that nobody else knows; `undefined` if the key is taken.
 *
 * A client that reconnects may send a call again whose answer was lost. The second answer then says
 * that the key is taken, by the record of the first.
 *
 * @throws {SessionError} `ERR_SESSION_INTERRUPTED` if the session has ended in the meantime.
 */
export function createOnce(
  backend: Backend,
  key: string,
  text: string,
  expiry: Expiry,
  name?: string,
): Awaitable<WriteResult | undefined> {
  const written = backend.create(key, text, expiry, name);
  const checked = (written: WriteResult | undefined) => {
    if (written !== undefined || !backend.isVersioned || !backend.isRemote) return written;
    return after(backend.read(key), (found) => {
      if (isEnded(found?.text)) throw interrupted();
      return found?.text === text ? { version: found.version } : undefined;
    });
  };
  return isPromise(written) ? written.then(checked) : checked(written);
}
