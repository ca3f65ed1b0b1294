/** Wraps a store so that each call waits for the simulator and is recorded. */
import { isSubjectIndex } from "../../base/record_text.ts";
import type { SessionStore } from "../../store/store.ts";
import type { Visit } from "./visit.ts";

export type { Step } from "./visit.ts";

/**
 * Calls that change what is stored. A touch does not count: losing one has no effect on the data.
 */
const WRITES = ["create", "replace", "delete", "set", "seal", "end"];

/**
 * The store for one request.
 *
 * @param unseen Keys that no other request uses. A call for one of them does not wait.
 */
export function watch(
  store: SessionStore,
  visit: Visit,
  unseen: ReadonlySet<string>,
): SessionStore {
  // A plain store does not report refusals: each of its writes succeeds.
  const isVersioned = "read" in store;
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      // It is synchronous and reads nothing from the store.
      if (name === "accepts") return member.bind(target);
      const method = String(name);
      const call = async (...args: unknown[]) => {
        const id = String(args[0]);
        if (visit.answers > 0) visit.lateCall ??= method;
        try {
          const answer: unknown = await member.apply(target, args);
          const isRefused = isVersioned && (answer === undefined || answer === false);
          const time = visit.note(`${method}(id)${isRefused ? " in vain" : ""}`, id);
          // A write to the subject index does not change a session.
          const isWrite = WRITES.includes(method) && !isSubjectIndex(args[1]);
          if (isWrite && !isRefused) visit.committedAt = time;
          return answer;
        } catch (error) {
          visit.note(`${method}(id) fails`, id);
          throw error;
        }
      };
      return (...args: unknown[]) =>
        unseen.has(String(args[0])) ? call(...args) : visit.lane.turn(() => call(...args));
    },
  });
}
