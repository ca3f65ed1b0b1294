/** The store contract on concurrent calls: of two calls on one key, one takes effect first. */
import { check, type Clause, newId, type Records } from "./kit.ts";

/** Number of calls made at the same time. */
const AT_ONCE = 16;
/** Number of times that a case repeats a race, because on a real server the timing varies. */
const ROUNDS = 8;

/**
 * Makes many calls at the same time. Resolves to the calls that succeeded: the number of each and
 * what the store returned.
 */
async function winners<T>(call: (at: number) => Promise<T | undefined>): Promise<[number, T][]> {
  const answers = await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => call(at)));
  return answers.flatMap((answer, at): [number, T][] =>
    answer === undefined || answer === false ? [] : [[at, answer]]
  );
}

/** Repeats a race, each time on a new record. */
function rounds(
  meet: (records: Records, id: string, version: string) => Promise<void>,
): (records: Records) => Promise<void> {
  return async (records) => {
    for (let round = 0; round < ROUNDS; round++) {
      const id = newId();
      await meet(records, id, await records.make(id, "old"));
    }
  };
}

/** Cases about concurrent calls. */
export const RACES: Clause[] = [
  {
    name: "of many create() at once on one id exactly one writes",
    async check(records) {
      const id = newId();
      const won = await winners((at) => records.create(id, `text ${at}`));
      check(won.length === 1, `${won.length} of ${AT_ONCE} were answered with a version`);
      await records.expect(id, `text ${won[0]![0]}`, won[0]![1]);
    },
  },
  {
    name: "of many replace() at once at one version exactly one writes",
    async check(records) {
      const id = newId();
      const version = await records.make(id);
      const won = await winners((at) => records.replace(id, `text ${at}`, { version }));
      check(won.length === 1, `${won.length} of ${AT_ONCE} were answered with a version`);
      await records.expect(id, `text ${won[0]![0]}`, won[0]![1]);
    },
  },
  {
    name: "of many delete() at once exactly one removes",
    async check(records) {
      const id = newId();
      const version = await records.make(id);
      const won = await winners((at) => records.delete(id, at % 2 === 0 ? version : undefined));
      check(won.length === 1, `${won.length} of ${AT_ONCE} were answered with true`);
      await records.expectNone(id);
    },
  },
  {
    name: "a touch() beside a replace() loses nothing",
    check: rounds(async (records, id, version) => {
      const [isTouched, next] = await Promise.all([
        records.touch(id, { version, text: "old" }),
        records.replace(id, "new", { version }),
      ]);
      const { text } = await records.find(id);
      check(isTouched || next !== undefined, "both were refused, and one must come first");
      check(next === undefined || text === "new", "replace() was answered, and its text is gone");
      check(next !== undefined || text === "old", "replace() was refused, and its text is there");
    }),
  },
  {
    name: "of a delete() and a replace() at one version exactly one wins",
    check: rounds(async (records, id, version) => {
      const [isDeleted, next] = await Promise.all([
        records.delete(id, version),
        records.replace(id, "new", { version }),
      ]);
      check(isDeleted !== (next !== undefined), isDeleted ? "both won" : "neither won");
      if (isDeleted) await records.expectNone(id);
      else await records.expect(id, "new", next!);
    }),
  },
  {
    name: "a delete() and a touch() at one version leave no record",
    check: rounds(async (records, id, version) => {
      const [isDeleted, isTouched] = await Promise.all([
        records.delete(id, version),
        records.touch(id, { version, text: "old" }),
      ]);
      check(isDeleted || isTouched, "both were refused, and one must come first");
      if (isDeleted) await records.expectNone(id);
      else check((await records.find(id)).text === "old", "touch() changed the text");
    }),
  },
  {
    name: "a delete() without a version wins over whatever is written at the time",
    check: rounds(async (records, id, version) => {
      const [isDeleted] = await Promise.all([
        records.delete(id),
        records.replace(id, "new", { version }),
        records.touch(id, { version, text: "old" }),
      ]);
      check(isDeleted, "delete() did not answer true");
      await records.expectNone(id);
    }),
  },
  {
    name: "many who read, add one and replace() lose no count",
    async check(records) {
      const id = newId();
      await records.make(id, "0");
      const add = async () => {
        // Each refusal means that another writer succeeded, and each of the others does so once.
        for (let attempt = 0; attempt < AT_ONCE; attempt++) {
          const { text, version } = await records.find(id);
          if (await records.replace(id, String(Number(text) + 1), { version }) !== undefined) {
            return;
          }
        }
        throw new Error("replace() refused, and nobody had come between");
      };
      await Promise.all(Array.from({ length: AT_ONCE }, add));
      const { text } = await records.find(id);
      check(text === String(AT_ONCE), `${AT_ONCE} added one each, and the count is ${text}`);
    },
  },
];
