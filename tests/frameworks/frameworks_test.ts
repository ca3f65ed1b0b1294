/**
 * Runs every case in every app, and prints the table of both. With FRAMEWORK=koa, it runs only the
 * apps that have this word in their name.
 */
import { assert } from "@std/assert";
import { type App, APPS, Running } from "./_apps.ts";
import { CASES } from "./_cases.ts";

const wanted = Deno.env.get("FRAMEWORK")?.toLowerCase() ?? "";
const apps = APPS.filter(({ name }) => name.toLowerCase().includes(wanted));
if (apps.length === 0) throw new Error(`There is no app with FRAMEWORK=${wanted}`);

/** The results by app, then by group and case: "ok", "failed", or why the case was skipped. */
const results = new Map<string, Map<string, string>>();

for (const app of apps) {
  Deno.test(app.name, async (t) => {
    const own = new Map<string, string>();
    results.set(app.name, own);
    await using running = await Running.start(app);
    for (const [group, cases] of Object.entries(CASES)) {
      for (const [name, run] of Object.entries(cases)) {
        const title = `${group}: ${name}`;
        const why = reasonToSkip(app, group, title);
        const isOk = await t.step({
          name: why === undefined ? title : `${title} (not here: ${why})`,
          ignore: why !== undefined,
          fn: () => run(running.url),
        });
        own.set(title, why ?? (isOk ? "ok" : "failed"));
      }
    }
    const name = "no error is left unhandled";
    const why = app.skips?.[name];
    await t.step({
      name: why === undefined ? name : `${name} (not here: ${why})`,
      ignore: why !== undefined,
      async fn() {
        assert(running.isRunning, "the process has ended");
        const stderr = await running.end();
        assert(
          !/unhandled|uncaught(?! error in the middle of the stream)|MaxListeners/i.test(stderr),
          stderr,
        );
      },
    });
  });
}

function reasonToSkip({ skips = {} }: App, group: string, title: string): string | undefined {
  const isIn = (key: string) => key === title || key === group || group.endsWith(` ${key}`);
  const key = Object.keys(skips).find((key) => isIn(key) || group.startsWith(`${key},`));
  return key === undefined ? undefined : skips[key];
}

globalThis.addEventListener("unload", () => {
  const names = [...results.keys()];
  const reasons: string[] = [];
  const cell = (result: string | undefined) => {
    if (result === undefined) return "-";
    if (/^(ok|failed)$/.test(result)) return result === "ok" ? "ok" : "FAIL";
    if (!reasons.includes(result)) reasons.push(result);
    return `s${reasons.indexOf(result) + 1}`;
  };
  const rows = Object.entries(CASES).flatMap(([group, cases]) =>
    Object.keys(cases).map((name) => {
      const title = `${group}: ${name}`;
      const cells = names.map((app) => cell(results.get(app)!.get(title)).padEnd(4));
      return `${title.padEnd(66)} ${cells.join(" ")}`;
    })
  );
  const letters = names.map((_, i) => String.fromCharCode(65 + i));
  const lines = [
    "",
    ...names.map((name, i) => `${letters[i]} = ${name}`),
    "",
    `${"".padEnd(66)} ${letters.map((letter) => letter.padEnd(4)).join(" ")}`,
    ...rows,
    "",
    ...reasons.map((reason, i) => `s${i + 1} = skipped: ${reason}`),
  ];
  console.log(lines.join("\n"));
});
