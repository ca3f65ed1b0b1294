/**
 * Imports a module: `cold_import.ts OPTIONS`, as JSON. Writes the processor time of the whole process
 * so far, in microseconds.
 *
 * @module
 */
import process from "node:process";

/** What to import; nothing for comparison. */
export interface ImportOptions {
  specifier?: string;
}

const { specifier }: ImportOptions = JSON.parse(process.argv[2]!);
if (specifier !== undefined) await import(specifier);
const { user, system } = process.cpuUsage();
console.log(user + system);
