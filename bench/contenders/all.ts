/** Everybody who is measured. */
import type { Contender } from "./contender.ts";
import { honoSessions } from "./hono_sessions.ts";
import { pagi } from "./pagi.ts";

/** This library first, then the others. */
export const CONTENDERS: readonly Contender[] = [pagi, honoSessions];
