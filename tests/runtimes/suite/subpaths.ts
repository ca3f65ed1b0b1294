/** The exports of the package's subpaths. */
import { type Cases, same } from "./_kit.ts";

/** The package's modules by their specifiers. */
export type Modules = Record<string, object>;

const NAME = "@pagi/session";

export function subpaths(modules: Modules): Cases {
  return {
    "a name refers to the same value in every subpath"() {
      const all = new Map<string, unknown>(Object.entries(modules[NAME]!));
      for (const [module, exported] of Object.entries(modules)) {
        for (const [name, value] of Object.entries(exported)) {
          if (!all.has(name)) all.set(name, value);
          same(all.get(name) === value, true, `that ${name} of ${module} is the same`);
        }
      }
    },
  };
}
