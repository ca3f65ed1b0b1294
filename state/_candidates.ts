/**
 * How many ids a client may present: a sibling domain can add cookies of our name. Of more none is
 * looked at: behind an attacker's, one live and some dead, the client's own would not be.
 */
export const MAX_CANDIDATES = 4;
