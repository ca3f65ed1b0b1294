/**
 * Whether a contender really loads and stores: before it is measured. A session that is not kept is
 * the fastest of all.
 */
import type { App, StoreName } from "./contenders/contender.ts";
import type { Act } from "./scenarios.ts";
import { type Answer, cookieOf, visit } from "./visit.ts";

/**
 * Sees to it that what one request writes is there for the next.
 *
 * @throws {Error} When it is not.
 */
export async function verify(
  name: string,
  store: StoreName,
  apps: { [act in Act]?: App },
): Promise<void> {
  const ask = async (act: Act, cookie?: string): Promise<Answer> => {
    const app = apps[act];
    if (app === undefined) throw new Error(`${name} on ${store} has no app for "${act}"`);
    return await answered(`${name} on ${store}`, act, app, cookie);
  };
  const expect = (what: string, actual: string, expected: string) => {
    if (actual !== expected) {
      throw new Error(`${name} on ${store}: ${what} gives "${actual}" and not "${expected}"`);
    }
  };
  /** A request of a client, who then has the cookies that came, or else those from before. */
  const follow = async (act: Act, cookie?: string): Promise<[body: string, cookie: string]> => {
    const answer = await ask(act, cookie);
    return [answer.body, cookieOf(answer) || (cookie ?? "")];
  };

  expect("a read by somebody without a session", (await ask("anonymous")).body, "nobody");
  const [, first] = await follow("new");
  const [, other] = await follow("new");
  if (first === "" || first === other) {
    throw new Error(`${name} on ${store}: two new sessions are one`);
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
  if (renewed === last) throw new Error(`${name} on ${store}: the session has not got a new id`);
  expect("a count under the new id", (await ask("write", renewed)).body, "3");
  // A session that is in the cookie itself lives on in an old one: nobody is asked.
  if (store === "cookie") return;
  expect("a read under the old id", (await ask("read", last)).body, "nobody");
}

async function answered(name: string, act: Act, app: App, cookie?: string): Promise<Answer> {
  const answer = await visit(app, cookie);
  if (answer.status === 200) return answer;
  throw new Error(`${name}: "${act}" is answered with ${answer.status}: ${answer.body}`);
}
