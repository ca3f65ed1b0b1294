/** All libraries. */
import { BASELINE, type Contender, OURS, OURS_FIRST } from "./contender.ts";

/** How to load each, under its name: loading them all takes longer than to measure one. */
const LOADERS: { [name: string]: () => Promise<Contender> } = {
  [OURS]: async () => (await import("./pagi.ts")).pagi,
  [OURS_FIRST]: async () => (await import("./pagi.ts")).pagiFirstSight,
  [BASELINE]: async () => (await import("./minimal_baseline.ts")).minimalBaseline,
  "hono-sessions": async () => (await import("./hono_sessions.ts")).honoSessions,
  "@hono/session": async () => (await import("./hono_session.ts")).honoSession,
  "@remix-run/session-middleware": async () => (await import("./remix.ts")).remix,
  "iron-session": async () => (await import("./iron_session.ts")).ironSession,
  h3: async () => (await import("./h3.ts")).h3,
  "express-session": async () => (await import("./express.ts")).expressSession,
  "@fastify/session": async () => (await import("./fastify.ts")).fastifySessions,
};

/** The names of all that this library is compared with, beside bare cryptography. */
export const LIBRARIES = Object.keys(LOADERS).filter((name) =>
  name !== OURS && name !== OURS_FIRST
);

/** Loads the libraries with these names. */
export async function loadContenders(names: readonly string[]): Promise<Contender[]> {
  return await Promise.all(names.map((name) => {
    const load = LOADERS[name];
    if (load === undefined) throw new TypeError(`Cannot load "${name}": no such library`);
    return load();
  }));
}
