/** Generates the IDs of a race, and knows how an ID is made. */

/** Hex digits of each half of an ID: first the verifier, then the session's key. */
export const HALF_DIGITS = 32;

/** The part of an ID that all IDs of a session have in common, in a store with versions. */
export function keyOf(id: string): string {
  return id.slice(-HALF_DIGITS);
}

/** The ID of a session with this key that takes its other half from a generated ID. */
export function withKey(generated: string, key: string): string {
  return generated.slice(0, HALF_DIGITS) + key;
}

/** Generates IDs that differ from each other, and from those of other generators, in both halves. */
export function idGenerator(): () => string {
  const salt = crypto.randomUUID().replaceAll("-", "");
  let made = 0;
  return () => {
    const count = (++made).toString(16).padStart(HALF_DIGITS / 2, "0");
    return count + salt + count;
  };
}
