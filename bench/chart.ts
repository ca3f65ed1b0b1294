/** The chart: what a session adds to a request, by library, as bars. */
import { groupOf, OURS } from "./budgets.ts";
import type { GroupResult } from "./in_process.ts";

const TITLE = "What a session adds to a request";
const SUBTITLE =
  "Deno, sessions of 100 bytes in memory, in process; as a multiple of what @pagi/session adds";
/** What is shown, and what it is called. */
const PANELS = [
  { scenario: "read", label: "A request that reads its session" },
  { scenario: "write", label: "A request that writes to its session" },
  { scenario: "new", label: "A request that starts a session" },
] as const;

const WIDTH = 760;
const LEFT = 232;
const RIGHT = 72;
const BAR = 14;
const ROW = 22;
const PANEL_HEAD = 40;
const TOP = 56;
const MIN_BAR = 2;

/** It brings its own ground: an image follows the reader's setting, which the page need not. */
const STYLE = `
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; }
  .title { font-size: 17px; font-weight: 600; }
  .quiet { fill: #57606a; }
  .head { font-weight: 600; }
  .name { text-anchor: end; }
  .other { fill: #8c959f; }
  .ours { fill: #0969da; }
  .ground { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .quiet { fill: #9198a1; }
    .other { fill: #656c76; }
    .ours { fill: #4493f8; }
    .ground { fill: #0d1117; }
  }
`;

/** The chart as SVG. */
export function drawChart(groups: readonly GroupResult[]): string {
  let y = TOP;
  const parts: string[] = [];
  const summary: string[] = [];
  for (const { scenario, label } of PANELS) {
    const group = groupOf(groups, "memory", scenario);
    const ours = group?.costs[OURS];
    if (group === undefined || ours === undefined) continue;
    const bars = Object.entries(group.costs)
      .map(([name, { added }]) => ({ name, ratio: Math.max(0, added / ours.added) }))
      .sort((a, b) => a.ratio - b.ratio);
    const longest = Math.max(...bars.map(({ ratio }) => ratio));
    parts.push(text(label, { x: LEFT, y: y + 24, class: "head" }));
    y += PANEL_HEAD;
    for (const { name, ratio } of bars) {
      parts.push(bar(name, ratio, ratio / longest, y));
      y += ROW;
    }
    summary.push(
      `${scenario}: ${bars.map(({ name, ratio }) => `${name} ${times(ratio)}`).join(", ")}`,
    );
  }
  const height = y + 16;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
    `width="${WIDTH}" height="${height}" role="img" aria-labelledby="title summary">`,
    `<title id="title">${TITLE}</title>`,
    `<desc id="summary">${escape(`${SUBTITLE}. ${summary.join("; ")}.`)}</desc>`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${height}" rx="6"/>`,
    text(TITLE, { x: 16, y: 28, class: "title" }),
    text(SUBTITLE, { x: 16, y: 48, class: "quiet" }),
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function bar(name: string, ratio: number, share: number, y: number): string {
  const width = Math.max(MIN_BAR, share * (WIDTH - LEFT - RIGHT));
  const kind = name === OURS ? "ours" : "other";
  const baseline = y + BAR - 2;
  return [
    text(name, { x: LEFT - 10, y: baseline, class: "name" }),
    `<rect class="${kind}" x="${LEFT}" y="${y}" width="${
      width.toFixed(1)
    }" height="${BAR}" rx="2"/>`,
    text(times(ratio), { x: Math.round(LEFT + width + 8), y: baseline, class: "quiet" }),
  ].join("\n");
}

function times(ratio: number): string {
  return `${ratio.toFixed(ratio < 10 ? 1 : 0)} ×`;
}

function text(content: string, attributes: { x: number; y: number; class: string }): string {
  const { x, y, class: kind } = attributes;
  return `<text x="${x}" y="${y}" class="${kind}">${escape(content)}</text>`;
}

function escape(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
