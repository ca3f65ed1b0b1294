/** A store each of whose calls is a point of the request that makes it. */
import { isSubjectIndex } from "../../base/record_text.ts";
import type { SessionStore } from "../../store/store.ts";
import type { Visit } from "./visit.ts";

/** Something that happened in a race. */
export interface Step {
  /** Whose step it was. */
  me: string;
  /** What happened. */
  what: string;
  /** The id or cookie that it was about. */
  id: string | undefined;
}

/** Calls that change what is stored. A touch is none: it may be lost, and nobody is told. */
const WRITES = ["create", "replace", "delete", "set", "seal", "end"];

/**
 * `store` as one request sees it.
 *
 * @param unseen The keys that no other request asks for: a call for one of them is no point.
 */
export function watch(
  store: SessionStore,
  visit: Visit,
  unseen: ReadonlySet<string>,
): SessionStore {
  // A plain store's answers say nothing: every write of it takes.
  const isVersioned = "read" in store;
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      // It answers at once and asks nobody.
      if (name === "accepts") return member.bind(target);
      const method = String(name);
      const call = async (...args: unknown[]) => {
        const id = String(args[0]);
        if (visit.answers > 0) visit.lateCall ??= method;
        try {
          const answer: unknown = await member.apply(target, args);
          const isRefused = isVersioned && (answer === undefined || answer === false);
          const time = visit.note(`${method}(id)${isRefused ? " in vain" : ""}`, id);
          // What is written to a subject's list is no session yet.
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
