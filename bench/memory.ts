/** What a runtime says of its memory. */
import process from "node:process";

/** Collects all garbage; the runtime has to be told to offer it, except Bun, which always does. */
export function collectGarbage(): void {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(isForced: boolean): void } };
  if (gc === undefined && Bun === undefined) throw new Error("This needs --expose-gc");
  // What weak references and finalizers hold goes at the second time.
  for (let time = 0; time < 2; time++) (gc ?? (() => Bun!.gc(true)))();
}

/** Bytes in use after a collection. */
export function usedBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Bytes of the whole process, in the machine's memory. */
export function residentBytes(): number {
  return process.memoryUsage().rss;
}

/** Bytes, as they are told. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** How a runtime is told to offer its collector. */
export const GC_FLAGS = {
  deno: ["--v8-flags=--expose-gc"],
  node: ["--expose-gc"],
  bun: [],
} as const;
