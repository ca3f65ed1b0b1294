/** Everybody who is measured. */
import { byHand } from "./by_hand.ts";
import type { Contender } from "./contender.ts";
import { expressSession } from "./express.ts";
import { fastifySessions } from "./fastify.ts";
import { h3 } from "./h3.ts";
import { honoSession } from "./hono_session.ts";
import { honoSessions } from "./hono_sessions.ts";
import { ironSession } from "./iron_session.ts";
import { pagi, pagiFirstTime } from "./pagi.ts";
import { remix } from "./remix.ts";

/** This library first, on new cookies too; then what it can cost at least, then the others. */
export const CONTENDERS: readonly Contender[] = [
  pagi,
  pagiFirstTime,
  byHand,
  honoSessions,
  honoSession,
  remix,
  ironSession,
  h3,
  expressSession,
  fastifySessions,
];
