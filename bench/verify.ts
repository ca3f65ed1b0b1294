/** Checks that a library really stores sessions: otherwise it would be the fastest of all. */
import type { LocalApp, StoreName } from "./contenders/contender.ts";
import type { Act } from "./scenarios.ts";
import { type Answer, cookieOf, visit } from "./visit.ts";

/**
 * Checks that a request finds what an earlier one wrote, and that clients have separate sessions.
 *
 * @throws {Error} If not.
 */
export async function verify(
  name: string,
  store: StoreName,
  apps: { [act in Act]?: LocalApp },
): Promise<void> {
  const ask = async (act: Act, cookie?: string): Promise<Answer> => {
    const app = apps[act];
    if (app === undefined) throw new Error(`${name} on ${store} has no app for "${act}"`);
    const answer = await visit(app, cookie);
    if (answer.status === 200) return answer;
    throw new Error(`${name} on ${store} answers "${act}" with ${answer.status}: ${answer.body}`);
  };
  const expect = (what: string, actual: string, expected: string) => {
    if (actual !== expected) {
      throw new Error(`${name} on ${store}: ${what} returned "${actual}", expected "${expected}"`);
    }
  };
  /** A request; returns the answer, and the cookie that the client has afterwards. */
  const follow = async (act: Act, cookie?: string): Promise<[body: string, cookie: string]> => {
    const answer = await ask(act, cookie);
    return [answer.body, cookieOf(answer) || (cookie ?? "")];
  };

  expect("a read without a session", (await ask("anonymous")).body, "nobody");
  const [, first] = await follow("new");
  const [, other] = await follow("new");
  if (first === "" || first === other) {
    throw new Error(`${name} on ${store}: two clients got the same session`);
  }
  const [user, afterRead] = await follow("read", first);
  expect("a read after the write", user, "ada");
  const [one, afterOne] = await follow("write", afterRead);
  expect("the first count", one, "1");
  const [two, afterTwo] = await follow("write", afterOne);
  expect("the second count", two, "2");
  const [nested, afterNested] = await follow("nested", afterTwo);
  expect("the first nested write", nested, "2");
  const [again, last] = await follow("nested", afterNested);
  expect("the second nested write", again, "3");
  expect("a read of the other session", (await ask("read", other)).body, "ada");
  expect("the other session's count", (await ask("write", other)).body, "1");
  if (apps.regenerate === undefined) return;
  const [, renewed] = await follow("regenerate", last);
  if (renewed === last) {
    throw new Error(`${name} on ${store}: regenerating did not change the cookie`);
  }
  expect("a count under the new ID", (await ask("write", renewed)).body, "3");
  // A session in the cookie stays readable in an old cookie: no server remembers that it ended.
  if (store === "cookie") return;
  expect("a read under the old ID", (await ask("read", last)).body, "nobody");
}
