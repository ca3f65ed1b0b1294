/**
 * Runs fuzz campaigns: `main.ts [CAMPAIGN] [COUNT] [SEED]`. Without a name it runs all of them at
 * their full length; `--brief` is the short run of CI. Pass the seed that it prints to repeat a run.
 *
 * @module
 */
import type { Campaign } from "./_campaign.ts";
import { CAMPAIGNS } from "./campaigns.ts";

const isBrief = Deno.args.includes("--brief");
const [name, count, seed] = Deno.args.filter((argument) => !argument.startsWith("--"));
const chosen = CAMPAIGNS.filter((campaign) => name === undefined || campaign.name === name);
if (chosen.length === 0) {
  const names = CAMPAIGNS.map((campaign) => campaign.name).join(", ");
  console.error(`There is no campaign ${name}. The campaigns are: ${names}`);
  Deno.exit(2);
}
for (const number of [count, seed]) {
  if (number === undefined || /^[0-9]+$/.test(number)) continue;
  console.error(`COUNT and SEED must be whole numbers: ${number}`);
  Deno.exit(2);
}

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const campaign of chosen) counts[await run(campaign)]++;
const { passed, failed, skipped } = counts;
console.log(`fuzz: ${passed} passed, ${failed} failed, ${skipped} skipped`);
Deno.exit(failed === 0 && passed > 0 ? 0 : 1);

async function run(campaign: Campaign): Promise<keyof typeof counts> {
  const { long, brief } = campaign.counts;
  const cases = Number(count ?? (isBrief ? brief : long));
  if (cases === 0) {
    console.log(`skipped ${campaign.name}: only in the long run`);
    return "skipped";
  }
  const from = Number(seed ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  console.log(`${campaign.name}: ${cases.toLocaleString("en")} cases, seed ${from}`);
  const startedAt = performance.now();
  try {
    const seen = await campaign.run(cases, from);
    const seconds = (performance.now() - startedAt) / 1000;
    console.log(`ok      ${campaign.name} (${seconds.toFixed(1)} s): ${seen}`);
    return "passed";
  } catch (error) {
    const again = `deno task fuzz ${campaign.name} ${cases} ${from}`;
    console.log(`FAILED  ${campaign.name}: ${error instanceof Error ? error.stack : error}`);
    console.log(`To repeat it: ${again}`);
    return "failed";
  }
}
