/**
 * The rules of English in CONTRIBUTING.md that a machine can check. The test of each pattern takes
 * `bad`, a sentence that it must find, and `good`, one that it must not find.
 *
 * @module
 */

// language: off

/** A way of writing that readers stumble over. */
export interface Pattern {
  readonly name: string;
  /** Matched against each sentence. A space stands for any white space. */
  readonly find: RegExp;
  /** What to write in its place. */
  readonly instead: string;
  /** Folders or root files to which the pattern is confined. */
  readonly areas?: readonly string[];
  readonly bad: string;
  readonly good: string;
}

/** Words of a sentence at most. */
export const MAX_WORDS = 30;

/** Grammar. */
const GRAMMAR: readonly Pattern[] = [
  {
    name: "generic he",
    find: /\b(?:he|his|him|himself)\b/i,
    instead: '"you" for the reader, "they" for others, "the attacker"',
    bad: "Show a user where he is signed in.",
    good: "Show users where they are signed in.",
  },
  {
    name: "starts with Who",
    find: /(?:^[^\w□]*|[;:] )who(?:ever)?(?:'s)? \w[^?]*$/i,
    instead: 'a noun: "The caller", "Anyone who", "If you"',
    bad: "Who opens it commits it.",
    good: "Who calls this?",
  },
  {
    name: "whoever",
    find: /\bwhoever\b/i,
    instead: 'a noun: "anyone who", "the caller"',
    bad: "The record is gone, whoever wrote it.",
    good: "Anyone who wrote it can read it.",
  },
  {
    name: "starts with What",
    find: /^[^\w□]*what (?!happens\b|if\b)\w[^?]*$/i,
    instead: 'a noun or a verb: "Returns the …", "The values that …"',
    bad: "What the client is to receive.",
    good: "What does the client receive?",
  },
  {
    name: "what stands",
    find:
      /\bwhat (?:stands|stood|lies|lay|goes|cannot|could|was there|was meant|is (?:not|there|meant|left|kept|gone|sealed|given up|asked|needed|shown|behind|yours|ours))\b/i,
    instead: 'a noun: "the record", "malformed IDs", "values in another format"',
    bad: "It reads what stands under the key.",
    good: "It reads the record under the key.",
  },
  {
    name: "what is no",
    find: /\bwhat (?:is|are|was|has|have) no\b/i,
    instead: 'a noun: "a value that is not a …"',
    bad: "The store returned what is no session.",
    good: "The store returned a value that is not a session.",
  },
  {
    name: "is none",
    find: /\b(?:is|are|was|were) none\b/,
    instead: '"does not exist", "is not a …"',
    bad: "This needs a store, and there is none.",
    good: "SameSite is None.",
  },
  {
    name: "is nobody's",
    find: /\b(?:is|are|was) nobody\b/i,
    instead: '"is not used", "does not belong to anyone"',
    bad: "The number is nobody's.",
    good: "Nobody waits for it.",
  },
  {
    name: "is no",
    find:
      /(?<!\bthere )\b(?:is|are|was|were) no (?!longer|more|less|fewer|better|worse|different|later|earlier|slower|faster|larger|smaller|higher|lower|older|newer|matter|help)\w/i,
    instead: '"is not a …"',
    bad: "An empty header is no header.",
    good: "There is no header, and it is no longer needed.",
  },
  {
    name: "at once",
    find: /\bat once\b/i,
    instead: '"immediately", or "at the same time"',
    bad: "Two requests write at once.",
    good: "Two requests write at the same time, once each.",
  },
  {
    name: "meanwhile",
    find: /\bmeanwhile\b/i,
    instead: '"in the meantime", "at the same time", or name what happened',
    bad: "The session has ended meanwhile.",
    good: "The session ended in the meantime.",
  },
  {
    name: "but for",
    find: /^(?!.*\bnot\b).*\bbut for\b/is,
    instead: '"except"',
    bad: "All but for the last are kept.",
    good: "It is not for servers but for clients.",
  },
  {
    name: "thrown on",
    find: /\bthrown on\b/i,
    instead: '"rethrown"',
    bad: "Other errors are thrown on.",
    good: "A TypeError is thrown. On the server it is logged.",
  },
];

/** Private words, and the terms of the field. */
const TERMS: readonly Pattern[] = [
  term("door", /\bdoors?\b/i, "entry point", "Both fetch doors share it.", "Both entry points."),
  term(
    "face",
    /(?<!in the )\bfaces?\b/i,
    "backend",
    "Each store has a face.",
    "In the face of it.",
  ),
  term(
    "accessor",
    /\baccessors?\b/i,
    "the `Session` object",
    "The accessor throws.",
    "It accesses.",
  ),
  term(
    "present an id",
    /\bpresents\b|\bto present\b|\bpresented\b|\bpresent (?:it|an id|the id)\b/i,
    "send, the ID sent by the client",
    "What a client presents never throws.",
    "Only if present at that version.",
  ),
  term(
    "told",
    /\btold\b(?! apart)|\btells? (?:it to|the client)\b/i,
    "is sent, receives; is detected",
    "The client is told the id.",
    "Two formats are told apart by a prefix.",
  ),
  term(
    "carried under",
    /\bcarried under\b/i,
    "sent in the cookie or header named …",
    "It is carried under a name.",
    "It was carried.",
  ),
  term(
    "moved id",
    /\bmove[sd]? (?:on )?to (?:a|its|the) new id\b|\brotated away\b/i,
    "regenerate the session ID",
    "It has moved to a new id.",
    "It moved to a new file.",
  ),
  term(
    "dead or alive",
    /\b(?:dead|alive)\b(?! (?:code|rows|tuples)|-)/i,
    "invalid, expired; active, valid",
    "The old id is dead.",
    "Remove dead code.",
  ),
  term(
    "note of use",
    /\bnot(?:es?|ed|ing) (?:of )?(?:its |the |a )?(?:session's )?(?:last )?use\b|\buse (?:is|was) noted\b/i,
    "update the last-access time",
    "It notes the session's use.",
    "It makes use of two keys.",
  ),
  term("prolong", /\bprolong(?:s|ed|ing)?\b/i, "extend", "A read prolongs it.", "A long read."),
  term(
    "no use of",
    /\bno use of\b/i,
    "does not extend the session",
    "This is no use of it.",
    "It is of no use.",
  ),
  term(
    "turns",
    /\b(?:takes?|took|taking|its|their) turns?\b/i,
    "are serialized, are queued",
    "Writers take turns.",
    "It costs no turn of the event loop.",
  ),
  term(
    "came first",
    /\b(?:came|others come) first\b/i,
    "a concurrent write",
    "Another write came first.",
    "The newest one comes first.",
  ),
  term(
    "has taken",
    /\b(?:it|this|that|rotation|regeneration|write) (?:has|have) taken(?! \w)/i,
    "has been committed",
    "Once that has taken, it shows.",
    "It has taken effect.",
  ),
  term(
    "lent",
    /\b(?:lent|lends?)\b/i,
    "exposed to the caller",
    "The value is lent.",
    "The value leads.",
  ),
  term(
    "claim",
    /(?<!JWT )\bclaim(?:s|ed|ing)?\b/i,
    "forwarding record",
    "A claim is stored.",
    "A JWT claim.",
  ),
  term(
    "epoch",
    /(?<!unix )\bepochs?\b/i,
    "generation",
    "The epoch is raised.",
    "Since the Unix epoch.",
  ),
  term(
    "strike off",
    /\b(?:strikes?|struck) off\b/i,
    "remove from the index",
    "It strikes off the id.",
    "A strike.",
  ),
  term(
    "list of sessions",
    /\b(?:subject|user)'s list\b|\blist of (?:a|the) (?:subject|user)'s sessions\b/i,
    "per-user session index",
    "A subject's list is under a key.",
    "A list of keys.",
  ),
  term(
    "session hash",
    /\bsession(?:'s)? hash\b/i,
    "session data",
    "The session hash is frozen.",
    "A hash of the key.",
  ),
  term(
    "crowd",
    /\bcrowds?\b/i,
    "too many candidate IDs",
    "A crowd of ids is refused.",
    "Many ids.",
  ),
  term(
    "nonsense",
    /\bnonsense\b|\bstore (?:that )?lies\b|\bstrange (?:text|value|answer|record)/i,
    "an invalid response",
    "The store answers nonsense.",
    "The record lies in the store.",
  ),
  term(
    "whole",
    /\bwithout whole\b|\b(?:is|are) (?:not )?whole\b/i,
    "malformed, complete",
    "The list is not whole.",
    "The whole list.",
  ),
  term(
    "gone",
    /\b(?:is|are|was|were|be|been|stays?) gone\b(?! (?:through|up))|\bmay go\b(?! (?:on|back|without))/i,
    "expired, deleted, may be removed",
    "The session is gone.",
    "It has gone up.",
  ),
  term(
    "by its shape",
    /\bby its shape\b/i,
    "duck typing",
    "It knows it by its shape.",
    "Its shape.",
  ),
  term(
    "seen first",
    /\bseen (?:first|again|for the first time)\b/i,
    "cold cache, warm cache",
    "A cookie seen first.",
    "As seen.",
  ),
  term("by hand", /\bby hand\b/i, "minimal baseline; manually", "Sessions by hand.", "A hand."),
  term(
    "lane",
    /\blanes?\b|\bcontenders?\b/i,
    "interval; library",
    "A lane is one run.",
    "A plane.",
    ["bench"],
  ),
  term(
    "of ours",
    /\bof (?:ours|yours)\b/i,
    "this library's, your own",
    "A write of ours.",
    "Ours is.",
  ),
  term(
    "anew",
    /\banew\b|\bas ever\b|\bin silence\b/i,
    "again, as usual, silently",
    "It is ignored in silence.",
    "A new one.",
  ),
  term(
    "announce",
    /\bannounc(?:e[sd]?|ing)\b/i,
    "report",
    "It is announced once.",
    "It is reported once.",
  ),
  term("loud", /\bloud(?:ly)?\b/i, "raises an error", "A failed save is loud.", "A cloud."),
  term(
    "laws",
    /\b(?:the|these) laws\b|\blaws of\b/i,
    "requirements",
    "The laws of the contract.",
    "In law.",
  ),
  term(
    "change over",
    /\bchang(?:es?|ed|ing) over\b/i,
    "migrate",
    "Changing over takes a day.",
    "It changes.",
  ),
  term(
    "the books",
    /\bthe books\b|\bbooks balance\b/i,
    "no acknowledged write is lost",
    "The books must balance.",
    "Two books.",
  ),
  term("tidy", /\btid(?:y|ies|ied|ying)\b/i, "prune", "It tidies the index.", "A tide."),
  term("caveat", /\bcaveats?\b/i, "warning", "The store has a caveat.", "A cave."),
  term(
    "id",
    /(?<![\w.$"'/-])ids?(?![\w($"-]|\.\w)/,
    "ID, IDs in prose; `id` in code",
    "The id is new.",
    "The ID is new.",
  ),
];

function term(
  name: string,
  find: RegExp,
  instead: string,
  bad: string,
  good: string,
  areas?: readonly string[],
): Pattern {
  return { name, find, instead, bad, good, ...(areas && { areas }) };
}

const STEMS =
  "(?:author|capital|character|custom|emphas|final|general|initial|local|material|maxim|" +
  "minim|normal|optim|organ|penal|prior|priorit|real|recogn|serial|special|standard|summar|synchron|" +
  "token|util|visual)";

/** British spellings. */
const SPELLING: readonly Pattern[] = [{
  name: "British spelling",
  find: new RegExp(
    `\\b(?:de|re|un)?${STEMS}is(?:e[sdr]?|ing|ation)s?\\b|\\banalys(?:e[sd]?|ing)\\b|` +
      "\\b(?:behavi|col|fav|hon|neighb|lab|rum|arm)our\\w*|\\b(?:cancel|label|model|travel|signal)l(?:ed|ing)\\b|" +
      "\\b(?:centre|licence|defence|offence|catalogue|programme|grey|artefact|judgement|fulfil|whilst|" +
      "amongst|learnt|spelt|misspelt|burnt|metre|cheque|ageing|practise)s?\\b",
    "i",
  ),
  instead: "American spelling",
  bad: "Its behaviour is optimised.",
  good: "Otherwise it is a promise, a surprise, or an exercise in behavior.",
}];

/** Every pattern, with spaces that match any white space. */
export const PATTERNS: readonly Pattern[] = [...GRAMMAR, ...TERMS, ...SPELLING].map((pattern) => ({
  ...pattern,
  find: new RegExp(pattern.find.source.replaceAll(" ", "\\s+"), pattern.find.flags),
}));
