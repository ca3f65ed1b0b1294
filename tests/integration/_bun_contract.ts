/**
 * Tests RedisStore on Bun's own client: `bun _bun_contract.ts PORT`. Prints how many cases passed,
 * or which failed.
 *
 * @module
 */
import { RedisStore } from "../../store/redis.ts";
import { formatRaces, simulateRaces, storeContract } from "../../testing/store.ts";

/** The parts of Bun that this file uses. Deno does not know their types. */
interface BunGlobal {
  argv: string[];
  RedisClient: new (url: string) => {
    send(command: string, args: string[]): Promise<unknown>;
    close(): void;
  };
}

const RACES = 500;
const { argv, RedisClient } = (globalThis as unknown as { Bun: BunGlobal }).Bun;
const client = new RedisClient(`redis://127.0.0.1:${argv[2]}`);
const open = () => new RedisStore(client);

const cases = storeContract({ open, waitForExpiry: true });
await Promise.all(cases.map(({ run }) => run()));
await client.send("SCRIPT", ["FLUSH"]);
const report = await simulateRaces({ open, runs: RACES, exhaustive: false });
if (report.failures.length > 0) throw new Error(formatRaces(report));
console.log(`${cases.length} cases passed; ${formatRaces(report)}`);
client.close();
