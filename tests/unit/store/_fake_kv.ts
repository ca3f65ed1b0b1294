/** A Deno KV in memory, as far as DenoKvStore uses it. It removes nothing by itself. */
import type { DenoKv, DenoKvAtomic, DenoKvKeyPart } from "../../../store/deno_kv.ts";

/** Opens an empty KV. */
export function fakeKv(): DenoKv {
  const entries = new Map<string, { value: unknown; versionstamp: string }>();
  let commits = 0;
  const nameOf = (key: DenoKvKeyPart[]) => JSON.stringify(key);
  return {
    get: (key) => Promise.resolve(entries.get(nameOf(key)) ?? { value: null, versionstamp: null }),
    atomic() {
      let holds = true;
      const writes: ((versionstamp: string) => unknown)[] = [];
      const atomic: DenoKvAtomic = {
        check({ key, versionstamp }) {
          holds &&= (entries.get(nameOf(key))?.versionstamp ?? null) === versionstamp;
          return atomic;
        },
        set(key, value) {
          writes.push((versionstamp) => entries.set(nameOf(key), { value, versionstamp }));
          return atomic;
        },
        delete(key) {
          writes.push(() => entries.delete(nameOf(key)));
          return atomic;
        },
        commit() {
          if (!holds) return Promise.resolve({ ok: false });
          const versionstamp = String(++commits).padStart(20, "0");
          for (const write of writes) write(versionstamp);
          return Promise.resolve({ ok: true, versionstamp });
        },
      };
      return atomic;
    },
  };
}
