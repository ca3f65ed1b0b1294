/** Counts the calls of Web Crypto, and makes them fail. */

const METHODS = [
  "digest",
  "importKey",
  "deriveKey",
  "deriveBits",
  "encrypt",
  "decrypt",
  "sign",
  "verify",
];
type Methods = Record<string, (...args: unknown[]) => Promise<unknown>>;
const subtle = crypto.subtle as unknown as Methods;

/** Counts the calls of each method of `crypto.subtle` while `act` runs. */
export async function countSubtle(act: () => unknown): Promise<Record<string, number>> {
  const calls: Record<string, number> = {};
  await replaced(METHODS, (name, original) => (...args) => {
    calls[name] = (calls[name] ?? 0) + 1;
    return original(...args);
  }, act);
  return calls;
}

/** Makes a method of `crypto.subtle` fail while `act` runs. */
export async function failSubtle(method: string, act: () => unknown): Promise<void> {
  await replaced([method], () => () => Promise.reject(new Error("out of order")), act);
}

/** Runs `act`. Calls of `crypto.subtle` and for random bytes throw. */
export async function withoutCrypto(act: () => unknown): Promise<void> {
  const refuse = () => {
    throw new Error("No crypto here");
  };
  const original = crypto.getRandomValues;
  crypto.getRandomValues = refuse;
  try {
    await replaced(METHODS, () => refuse, act);
  } finally {
    crypto.getRandomValues = original;
  }
}

async function replaced(
  names: readonly string[],
  replace: (name: string, original: Methods[string]) => Methods[string],
  act: () => unknown,
): Promise<void> {
  const originals = names.map((name) => [name, subtle[name]!] as const);
  try {
    for (const [name, original] of originals) {
      subtle[name] = replace(name, original.bind(subtle));
    }
    await act();
  } finally {
    for (const [name, original] of originals) subtle[name] = original;
  }
}
