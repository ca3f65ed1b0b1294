import { assertEquals, assertThrows } from "@std/assert";
import { testClock } from "@pagi/session/testing";

Deno.test("testClock() stands still until it is advanced", () => {
  const { now, advance } = testClock(1_700_000_000_000);
  assertEquals(now(), 1_700_000_000_000);
  advance(90);
  advance(0.5);
  assertEquals(now(), 1_700_000_090_500);
});

Deno.test("testClock() starts at the present time", () => {
  const before = Date.now();
  const at = testClock().now();
  assertEquals(before <= at && at <= Date.now(), true);
});

Deno.test("testClock() refuses times that are not numbers or negative", () => {
  const clock = testClock(0);
  for (const wrong of [NaN, -1, Infinity, "60"] as number[]) {
    assertThrows(() => clock.advance(wrong), RangeError, "Cannot advance the clock");
    assertThrows(() => testClock(wrong), RangeError, "Cannot start the clock");
  }
});
