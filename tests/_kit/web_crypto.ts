/** Web Crypto under observation. */

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

/** How often each method of `crypto.subtle` is called while `act` runs; those that are not are left out. */
export async function countSubtle(act: () => unknown): Promise<Record<string, number>> {
  const calls: Record<string, number> = {};
  await replaced(METHODS, (name, original) => (...args) => {
    calls[name] = (calls[name] ?? 0) + 1;
    return original(...args);
  }, act);
  return calls;
}

/** Lets a method of `crypto.subtle` fail while `act` runs, as a machine would. */
export async function failSubtle(method: string, act: () => unknown): Promise<void> {
  await replaced([method], () => () => Promise.reject(new Error("out of order")), act);
}

/** Runs `act`; a call of `crypto.subtle` or for random bytes throws. */
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
