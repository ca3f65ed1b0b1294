import { assertMatch } from "@std/assert";
import { anyRedis, redisMissing, serverTest } from "./_servers.ts";

const BUN = "bun@1.4.5";

/** Why Bun cannot be had; npx fetches it where npm's registry can be reached. */
async function bunMissing(): Promise<string | undefined> {
  try {
    const args = ["--yes", BUN, "--version"];
    const signal = AbortSignal.timeout(60_000);
    const { success } = await new Deno.Command("npx", { args, signal }).output();
    return success ? undefined : `npx cannot start ${BUN}`;
  } catch {
    return "there is no npx";
  }
}

serverTest(
  redisMissing ?? await bunMissing(),
  "RedisStore on Bun's RedisClient keeps the contract, and no race breaks a session",
  async () => {
    await using redis = await anyRedis();
    const script = `${import.meta.dirname}/_bun_contract.ts`;
    const output = await new Deno.Command("npx", {
      args: ["--yes", BUN, script, String(redis.port)],
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assertMatch(text(output.stdout), /cases passed; 500 runs: 0 lost/, text(output.stderr));
  },
);
