/** What is shown on the terminal while the benchmark runs. */
import type { HttpResult } from "./http.ts";
import type { GroupResult } from "./in_process.ts";
import { rangeOf, shareOf } from "./names.ts";
import type { ProfileResult } from "./profile.ts";
import { sharesOf, sum } from "./profile_groups.ts";
import type { RedisResult } from "./redis.ts";
import type { ScaleResult } from "./scale.ts";

const NAME_WIDTH = 52;

/** What one kind of request costs everybody. */
export function printGroup(runtime: string, group: GroupResult): void {
  const { store, scenario, bytes, costs, raw } = group;
  title(`${runtime}, ${store}, ${scenario}, ${bytes} bytes: µs that a session adds`);
  for (const [name, { framework, bare, added, quartiles }] of Object.entries(costs)) {
    row(
      name,
      added.toFixed(2),
      `${rangeOf(quartiles).padEnd(20)} to ${bare.toFixed(2)} of ${framework}`,
    );
  }
  if (raw !== undefined) {
    row("the cryptography alone", raw.alone.toFixed(2), "");
    row("it in a bare handler", raw.inHandler.toFixed(2), "");
  }
}

/** How servers did. */
export function printHttp(runtime: string, { loader, servers }: HttpResult): void {
  title(`${runtime}, behind a server, ${loader}: requests a second, and of the bare framework's`);
  for (const server of servers) {
    const { store, bytes, contender, act, perSecond, added } = server;
    const what = `${shareOf(server).padStart(16)}, ${added.toFixed(1)} µs of processor time more`;
    row(`${store}, ${bytes}, ${act}: ${contender}`, perSecond.toFixed(0), what);
  }
}

/** What many sessions cost. */
export function printScale(runtime: string, result: ScaleResult): void {
  title(`${runtime}, many sessions in memory: µs that a session adds`);
  for (const act of ["read", "write"] as const) {
    const { bare, ours, byHand } = result[act];
    for (const [size, time] of Object.entries(ours)) {
      const least = byHand[Number(size)]!.toFixed(2);
      row(
        `${act}, of ${size}`,
        time.toFixed(2),
        `by hand ${least}, to ${bare.toFixed(2)} of fetch`,
      );
    }
  }
  row("bytes beside its data", result.bytesBeside.toFixed(0), "");
  for (const pauses of result.pauses) {
    for (const name of ["expiring", "quiet"] as const) {
      const { longest, high, median } = pauses[name];
      const others = `ms; one in 1,000 above ${high.toFixed(3)}, median ${median.toFixed(3)}`;
      row(`longest request, ${name}`, longest.toFixed(2), others);
    }
  }
}

/** What a request's time goes to. */
export function printProfile(runtime: string, result: ProfileResult): void {
  const { place, store, scenario, times, beside, others } = result;
  const all = sum(times);
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const seen = result.isSeenFirst ? " seen first" : "";
  const what = `${runtime}, profile, ${place}, ${store}${seen}, ${scenario}`;
  const other = place === "among a million" ? "that among 1,000" : "the bare handler's";
  title(`${what}: of the request's time; beside it ${other}`);
  for (const share of sharesOf(times, beside)) {
    row(share.group, percent(share.part), percent(share.beside).padStart(9));
  }
  row("in all", `${all.toFixed(2)} µs`, `${sum(beside).toFixed(2)} µs`.padStart(9));
  // Seen here, a wrong guess of the groups can be put right.
  for (const { name, time } of others) row(`  of the other: ${name}`, percent(time / all), "");
}

/** How often Redis is asked. */
export function printRedis({ roundTrips, shared }: RedisResult): void {
  title("Redis: round trips for a request");
  for (const [request, count] of Object.entries(roundTrips)) row(request, count.toFixed(2), "");
  for (const { processes, perSecond, requests, counted } of shared) {
    const sums = `requests a second; ${requests} answered, ${counted} counted`;
    row(`${processes} on one Redis`, perSecond.toFixed(0), sums);
  }
}

function title(text: string): void {
  console.log(`\n${text}`);
}

function row(name: string, value: string, more: string): void {
  console.log(`  ${name.padEnd(NAME_WIDTH)} ${value.padStart(9)} ${more}`.trimEnd());
}
