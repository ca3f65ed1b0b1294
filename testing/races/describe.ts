/**
 * Describes a race in words. IDs are random, so they are numbered in the order of their appearance.
 */
import type { Run } from "./run.ts";

/** One line for each request, then one line for each step. */
export function describe({ visits, steps }: Run): string[] {
  const names = new Map<string, string>();
  const nameOf = (id: string) => {
    if (!names.has(id)) names.set(id, `id ${names.size + 1}`);
    return names.get(id)!;
  };
  return [
    ...visits.map(({ me, plan }) => `${me} ${plan.kind.name}`),
    ...steps.map(({ me, what, id }) =>
      `${me}: ${what.replace(/\bid\b/, id === undefined ? "no id" : nameOf(id))}`
    ),
  ];
}
