import { assertEquals } from "@std/assert";
import { replay, type Scenario } from "./replay.ts";
import traces from "./traces.json" with { type: "json" };

const scenarios = traces as unknown as Scenario[];

interface Cookie {
  name: string;
  id: string;
  attrs: string[];
}

/** What the reference need not share with us: its README names two things. */
function comparable(seen: Record<string, unknown>, other: Record<string, unknown>) {
  const store = Object.fromEntries(
    Object.entries(seen.store as Record<string, unknown>)
      .filter(([id]) => id in (other.store as Record<string, unknown>)),
  );
  const cookies = (seen.cookies as Cookie[]).map((cookie) => {
    const isClearing = cookie.id === "";
    const matters = (text: string) => text.startsWith("path=") || text === "max-age=0";
    return { ...cookie, attrs: isClearing ? cookie.attrs.filter(matters) : cookie.attrs };
  });
  return { ...seen, cookies, store };
}

Deno.test("the recorded runs are all there", () => assertEquals(scenarios.length, 150));

for (const scenario of scenarios) {
  Deno.test(`wrap() does what the reference does in ${scenario.name}`, async () => {
    const steps = await replay(scenario);
    scenario.steps.forEach(({ expect }, at) => {
      const seen = steps[at]!;
      // A record that only the reference kept has to have expired.
      for (const id of Object.keys(expect.store as object)) {
        assertEquals(id in (seen.store as object), true, `step ${at} lost ${id}`);
      }
      assertEquals(comparable(seen, expect), comparable(expect, seen), `step ${at}`);
    });
  });
}
