/** The wrappers for data at rest, alone and in each order. */
import type { VersionedStore } from "../../store/store.ts";
import { HashedStore } from "../../store/hashed.ts";
import { SealedStore } from "../../store/sealed.ts";
import { SECRET } from "./at_rest_story.ts";

export const OLD_SECRET = "another one, which was used before";

export const WRAPPERS: { [name: string]: (inner: VersionedStore) => HashedStore | SealedStore } = {
  HashedStore: (inner) => new HashedStore(inner),
  SealedStore: (inner) => new SealedStore(inner, { secret: SECRET }),
  "SealedStore with an old secret": (inner) =>
    new SealedStore(inner, { secret: [SECRET, OLD_SECRET] }),
  "SealedStore before HashedStore": (inner) =>
    new SealedStore(new HashedStore(inner), { secret: SECRET }),
  "HashedStore before SealedStore": (inner) =>
    new HashedStore(new SealedStore(inner, { secret: SECRET })),
};
export const hashed = WRAPPERS.HashedStore!;
export const sealed = WRAPPERS.SealedStore!;
export const BOTH = Object.entries(WRAPPERS).filter(([name]) => name.includes("before"));
