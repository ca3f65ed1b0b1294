/** All cases that need no server. */
import type { Cases } from "./_kit.ts";
import { entryPoints } from "./entry_points.ts";
import { races } from "./races.ts";
import { requests } from "./requests.ts";
import { states } from "./states.ts";
import { stores } from "./stores.ts";
import { type Modules, subpaths } from "./subpaths.ts";
import { testing } from "./testing.ts";

export const all = (modules: Modules): Cases => ({
  ...subpaths(modules),
  ...requests,
  ...races,
  ...entryPoints,
  ...states,
  ...stores,
  ...testing,
});
