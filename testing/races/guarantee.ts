/** The promises of the library that a race can break. */

/** A promise of the library that a race can break. Reports count each of them. */
export type Guarantee =
  | "lost"
  | "resurrected"
  | "undoneLogins"
  | "extraIds"
  | "deadSessions"
  | "wrongAnswers";

/** Reports a broken guarantee, and how it was broken. */
export type Report = (guarantee: Guarantee, why: string) => void;
