/**
 * Describes a race in words. IDs are random, so they are numbered in the order of their appearance.
 */
import { HALF_DIGITS } from "./ids.ts";
import type { Plan, Program } from "./program.ts";
import type { Run } from "./run.ts";

/** A line for each request, a line for what they share, and a line for each step. */
export function describe({ program, visits, steps }: Run): string[] {
  const names = new Map<string, string>();
  const nameOf = (id: string) => {
    if (!names.has(id)) {
      const kind = id.length === HALF_DIGITS ? "key" : "id";
      const number = [...names.values()].filter((name) => name.startsWith(kind)).length + 1;
      names.set(id, `${kind} ${number}`);
    }
    return names.get(id)!;
  };
  return [
    ...visits.map(({ me, plan }) => [`${me} ${plan.kind.name}`, ...circumstances(plan)].join(", ")),
    `all: ${shared(program).join(", ")}`,
    ...steps.map(({ me, what, id }) =>
      `${me}: ${what.replace(/\bid\b/, id === undefined ? "no id" : nameOf(id))}`
    ),
  ];
}

function shared(program: Program): string[] {
  const words = [program.isSignedIn ? "the session has a subject" : "the session has no subject"];
  if (program.isTouchDue) words.push("each request is noted");
  if (program.isTouchDue && program.isCookieKept) words.push("the cookie is not renewed");
  if (program.isRotating) words.push("opening a page rotates the ID");
  if (program.isFull) words.push("the store is full");
  if (program.hasShards) words.push("the index has shards");
  if (program.isExaminedLate) words.push("the result is examined five minutes later");
  return words;
}

function circumstances({ isNavigation, isLost, skew, resend }: Plan): string[] {
  const words: string[] = [];
  if (isNavigation) words.push("opening a page");
  if (skew) words.push(`on a server whose clock is off by ${skew} s`);
  if (resend) words.push(`sending write ${resend.call + 1} twice (${resend.how})`);
  if (isLost) words.push("its response is lost");
  return words;
}
