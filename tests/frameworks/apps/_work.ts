/**
 * What all apps under test do. An app calls {@linkcode answer} for each request, and sends the
 * {@linkcode Reply} in the way of its framework. So the same cases fit all of them.
 */
import {
  type DeleteOptions,
  MemoryStore,
  type ReplaceOptions,
  type Session,
  SessionMiddleware,
  type StoreCallOptions,
  type StoredRecord,
  type TouchOptions,
  type VersionedStore,
  type WriteOptions,
} from "@pagi/session";

/** The data of a session. */
export interface Data {
  visits: number;
  cart: { items: string[] };
  /** Tells the store how to fail when it writes this session. */
  trouble: "fails" | "hangs" | "waits" | "does not delete";
}

/** The data of the second session. */
export interface AdminData {
  visits: number;
  trouble: "fails";
}

/** A request, as an app describes it. */
export interface Visit {
  /** The path and query. The prefix of a sub-app may be there or not. */
  url: string;
  /** The session of `sessions`. */
  session: Session<Data>;
  /** The session of `adminSessions`. The sub-apps `/inner` and `/outer` have it. */
  admin?: Session<AdminData> | undefined;
  /** The request's body: a function for every way to read it that a framework has. */
  body: Body;
  /** Makes the framework's own error for a status, for example `HTTPException` in Hono. */
  refuse(status: number): unknown;
}

/** The body of a request. */
export interface Body {
  bytes(): Promise<Uint8Array>;
  form(): Promise<FormData>;
}

/** What an app sends. */
export interface Reply {
  /** Which of the framework's methods the app uses. `events` are server-sent events. */
  kind: "text" | "empty" | "redirect" | "stream" | "events";
  status: number;
  /** Names in lower case. `set-cookie` may be there twice. */
  headers: [name: string, value: string][];
  /** The text, or the target of the redirect. */
  text: string;
  /** The parts of the stream, or the data of the events. */
  parts: () => AsyncGenerator<string>;
}

/** A synchronous store that counts the touches. */
class CountingStore extends MemoryStore {
  override touch(id: string, options: TouchOptions): boolean {
    noted.touches++;
    return super.touch(id, options);
  }
}

/** An asynchronous store, as over a network. It fails for certain keys and for `trouble`. */
class FailingStore implements VersionedStore {
  readonly #inner = new CountingStore({ now });
  readonly #kept = new Set<string>();

  async read(id: string, _options: StoreCallOptions): Promise<StoredRecord | undefined> {
    // The key is the second half of the ID that a client sends.
    if (id === "d".repeat(32)) throw new Error("connection refused");
    if (id === "e".repeat(32)) await forever();
    await aMoment();
    return this.#inner.read(id);
  }
  async create(id: string, text: string, options: WriteOptions): Promise<string | undefined> {
    await this.#fail(id, text);
    return this.#inner.create(id, text, options);
  }
  async replace(id: string, text: string, options: ReplaceOptions): Promise<string | undefined> {
    await this.#fail(id, text);
    return this.#inner.replace(id, text, options);
  }
  async touch(id: string, options: TouchOptions): Promise<boolean> {
    await aMoment();
    return this.#inner.touch(id, options);
  }
  async delete(id: string, options: DeleteOptions): Promise<boolean> {
    await aMoment();
    if (this.#kept.has(id)) throw new Error("connection refused");
    return this.#inner.delete(id, options);
  }

  async #fail(id: string, text: string): Promise<void> {
    await aMoment();
    // A session ends when a marker replaces it, or when it is deleted.
    if (this.#kept.has(id)) throw new Error("connection refused");
    if (text.includes('"trouble":"fails"')) throw new Error("connection refused");
    if (text.includes('"trouble":"hangs"')) await forever();
    if (text.includes('"trouble":"waits"')) {
      noted.waiting = true;
      await released.promise;
      throw new Error("connection refused");
    }
    if (text.includes('"trouble":"does not delete"')) this.#kept.add(id);
  }
}

/** What the cases ask for at `/noted`. */
const noted = {
  /** The types of the events. */
  events: [] as string[],
  /** The codes of the errors that the framework's error hook received. */
  errors: [] as string[],
  /** Whether a save waits for `/release`. */
  waiting: false,
  /** How many sessions the store was asked to touch. */
  touches: 0,
  /** How many endless streams have ended. */
  ended: 0,
};
let released = Promise.withResolvers<void>();
let ahead = 0;

/** The app's clock. `/later` advances it. */
function now(): number {
  return Date.now() + ahead;
}

const isInMemory = globalThis.process?.env.STORE === "memory";
const options = () => ({
  secret: "a test's secret of 32 bytes or more",
  store: isInMemory ? new CountingStore({ now }) : new FailingStore(),
  storeTimeout: 0.25,
  now,
  onEvent: ({ type }: { type: string }) => void noted.events.push(type),
});

/** The app's sessions, in a synchronous or an asynchronous store. */
export const sessions: SessionMiddleware<Data> = new SessionMiddleware<Data>(options());

/** The sessions of a second middleware, which is in the sub-apps only. */
export const adminSessions: SessionMiddleware<AdminData> = new SessionMiddleware<AdminData>({
  ...options(),
  key: "admin",
});

/** Notes an error that the framework's error hook received. */
export function report(error: unknown): void {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  noted.errors.push(String(code ?? message ?? error));
}

type Result = string | Partial<Reply>;

/** The work at each path. */
const work: Record<string, (visit: Visit, query: URLSearchParams) => Result | Promise<Result>> = {
  "/visit": ({ session }) => count(session),
  "/read": ({ session }) => visitsOf(session),
  "/read-private": ({ session }) => ({
    text: visitsOf(session),
    headers: [["cache-control", "private, max-age=5"], ["vary", "Accept-Language"]],
  }),
  "/add": ({ session }) => {
    session.data.cart ??= { items: [] };
    session.data.cart.items.push("tea");
    return session.get("cart").items.join();
  },
  "/regenerate": ({ session }) => {
    session.regenerate();
    return "Welcome";
  },
  "/destroy": ({ session }) => {
    session.destroy();
    return "Bye";
  },
  "/sign-in": ({ session }) => {
    session.subject = `user ${crypto.randomUUID()}`;
    return "Welcome";
  },
  "/everywhere": async ({ session }) => {
    await sessions.destroyAll(session.subject!);
    session.set("visits", 100);
    return "Bye";
  },
  "/everywhere-and-on": async ({ session }) => {
    await sessions.destroyAll(session.subject!);
    session.restart().set("visits", 7);
    return "Bye";
  },
  "/save": async ({ session }) => {
    count(session);
    await session.save();
    return visitsOf(session);
  },
  "/interrupt": async ({ session }) => {
    await sessions.destroy(session);
    session.set("visits", 100);
    return "never sent";
  },
  "/keep": ({ session }) => {
    session.set("trouble", "does not delete");
    return "It will";
  },

  // The kinds of responses. All of them write, and `?trouble=fails` makes the save fail.
  "/text": ({ session }) => ({ text: count(session) }),
  "/redirect": ({ session }) => {
    count(session);
    return { kind: "redirect", status: 302, text: "/read" };
  },
  "/see-other": ({ session }) => {
    count(session);
    return { kind: "redirect", status: 303, text: "/read" };
  },
  "/empty": ({ session }) => {
    count(session);
    return { kind: "empty", status: 204 };
  },
  "/fresh": ({ session }) => {
    count(session);
    return { kind: "empty", status: 304, headers: [["etag", '"1"']] };
  },
  "/created": ({ session }) => ({ text: count(session), status: 201 }),
  "/not-found": ({ session }) => ({ text: count(session), status: 404 }),
  "/parts": ({ session }) => {
    count(session);
    return { kind: "stream", parts: () => parts(session) };
  },
  "/much": ({ session }) => {
    count(session);
    return { kind: "stream", parts: much };
  },
  "/much-read": ({ session }) => {
    visitsOf(session);
    return { kind: "stream", parts: much };
  },
  "/break": ({ session }) => {
    count(session);
    return { kind: "stream", parts: broken };
  },
  "/events": ({ session }) => {
    count(session);
    return { kind: "events", parts: () => parts(session) };
  },
  "/endless": ({ session }) => {
    count(session);
    return { kind: "events", parts: () => endless(session) };
  },
  "/never": ({ session }) => {
    count(session);
    return forever();
  },

  // The app's own headers beside those of the session.
  "/own-cookies": ({ session }) => ({
    text: count(session),
    headers: [["set-cookie", "own=1; Path=/"], ["set-cookie", "other=2; Path=/"]],
  }),
  "/public": ({ session }, query) => {
    if (!query.has("read")) count(session);
    const headers: Reply["headers"] = [["cache-control", "public, max-age=60"]];
    return { text: visitsOf(session), headers };
  },
  "/language": ({ session }) => ({
    text: visitsOf(session),
    headers: [["vary", "Accept-Language"]],
  }),

  // Exceptions.
  "/throw-first": () => {
    throw new Error("boom");
  },
  "/throw": ({ session }) => {
    count(session);
    throw new Error("boom");
  },
  "/throw-later": async ({ session }) => {
    count(session);
    await aMoment();
    throw new Error("boom");
  },
  "/throw-text": ({ session }) => {
    count(session);
    throw "boom";
  },
  "/throw-frozen": ({ session }) => {
    count(session);
    throw Object.freeze(new Error("boom"));
  },
  "/throw-twice": ({ session }) => {
    count(session);
    throw new Error(TWICE);
  },
  "/refuse": ({ session, refuse }) => {
    count(session);
    throw refuse(401);
  },
  "/save-and-throw": async ({ session }) => {
    count(session);
    await session.save();
    throw new Error("boom");
  },
  "/save-and-refuse": async ({ session, refuse }) => {
    count(session);
    await session.save();
    throw refuse(401);
  },
  "/sign-in-and-throw": ({ session }) => {
    session.subject = "ada";
    throw new Error("boom");
  },
  "/destroy-and-throw": ({ session }) => {
    session.destroy();
    throw new Error("boom");
  },

  // Uploads.
  "/upload": async ({ session, body }) => {
    count(session);
    return `Received ${(await body.bytes()).length}`;
  },
  "/upload-form": async ({ session, body }) => {
    count(session);
    const form = await body.form();
    const file = form.get("file") as File;
    return `Received ${form.get("name")}, ${file.name}, ${file.size}`;
  },
  "/upload-unread": ({ session }) => count(session),

  // Two sessions.
  "/both": ({ session, admin }) => {
    count(session);
    count(admin!);
    return visitsOfBoth(session, admin);
  },
  "/both-back": ({ session, admin }) => {
    count(admin!);
    count(session);
    return visitsOfBoth(session, admin);
  },
  "/both-empty": ({ session, admin }) => {
    count(session);
    count(admin!);
    return { kind: "empty", status: 204 };
  },
  "/both-stream": ({ session, admin }) => {
    count(session);
    count(admin!);
    return { kind: "stream", parts: () => parts(session) };
  },
  "/admin": ({ admin }) => count(admin!),
  "/read-both": ({ session, admin }) => visitsOfBoth(session, admin),
  "/regenerate-admin": ({ admin }) => {
    admin!.regenerate();
    return "Welcome";
  },
  "/destroy-admin": ({ admin }) => {
    admin!.destroy();
    return "Bye";
  },
  "/throw-both": ({ session, admin }) => {
    count(session);
    count(admin!);
    throw new Error("boom");
  },
  "/save-both-and-throw": async ({ session, admin }) => {
    count(session);
    count(admin!);
    await Promise.all([session.save(), admin!.save()]);
    throw new Error("boom");
  },

  // What the cases need to know and to do.
  "/noted": () => JSON.stringify(noted),
  "/release": () => {
    released.resolve();
    released = Promise.withResolvers();
    noted.waiting = false;
    return "Released";
  },
  "/later": (_visit, query) => {
    ahead += 1000 * Number(query.get("seconds"));
    return "Later";
  },
};

const PREFIXES = ["", "/inner", "/outer"] as const;

/** The message of an error for which an app's own error handler should throw it again. */
export const TWICE = "boom, and the error handler throws it again";

/** The paths of the app itself, for frameworks that route by path. */
export const paths: string[] = Object.keys(work);

/** Returns the paths below the prefix of a sub-app. */
export function pathsBelow(prefix: (typeof PREFIXES)[number]): string[] {
  return paths.map((path) => prefix + path);
}

/**
 * Does the work of a request. Returns what the app should send, or `undefined` if there is no such
 * page. It throws, instead of returning a promise that is rejected, if the work is synchronous.
 */
export function answer(visit: Visit): Reply | undefined | Promise<Reply> {
  const { pathname, searchParams } = new URL(visit.url, "http://localhost");
  const result = work[pathname.replace(/^\/(inner|outer)(?=\/)/, "")]?.(visit, searchParams);
  if (result === undefined) return undefined;
  const complete = (result: Result) => toReply(result, visit, searchParams);
  return result instanceof Promise ? result.then(complete) : complete(result);
}

function toReply(result: Result, { session, admin }: Visit, query: URLSearchParams): Reply {
  const reply: Reply = {
    kind: "text",
    status: 200,
    headers: [],
    text: "",
    parts: nothing,
    ...(typeof result === "string" ? { text: result } : result),
  };
  const trouble = query.get("trouble");
  if (trouble !== null) session.set("trouble", trouble as Data["trouble"]);
  if (query.get("admin-trouble") !== null) admin!.set("trouble", "fails");
  if (query.has("own")) reply.headers = [...reply.headers, ...OWN_HEADERS];
  return reply;
}

/** The headers that no error response has. */
const OWN_HEADERS: Reply["headers"] = [
  ["etag", '"own"'],
  ["content-disposition", "attachment"],
  ["content-language", "de"],
  ["content-type", "image/png"],
  ["last-modified", "Tue, 01 Dec 2020 00:00:00 GMT"],
  ["x-own", "1"],
  ["set-cookie", "own=1"],
];

function count(session: Session<Data> | Session<AdminData>): string {
  const own = session as Session<Data>;
  own.update("visits", (visits = 0) => visits + 1);
  return `Visit ${own.get("visits")}`;
}

function visitsOf(session: Session<Data> | Session<AdminData>): string {
  return `Visits ${(session as Session<Data>).get("visits", 0)}`;
}

function visitsOfBoth(session: Session<Data>, admin: Session<AdminData> | undefined): string {
  return `Visits ${session.get("visits", 0)}, ${admin!.get("visits", 0)}`;
}

async function* nothing(): AsyncGenerator<string> {}

/** The session is committed when the first part is sent. */
async function* parts(session: Session<Data>): AsyncGenerator<string> {
  yield "one,";
  await aMoment();
  yield `${session.get("visits")},`;
  await aMoment();
  yield "three";
}

/** The length of the text of `/much`. */
export const MUCH = 4_000_000;

async function* much(): AsyncGenerator<string> {
  for (let i = 0; i < 100; i++) yield "x".repeat(MUCH / 100);
}

async function* broken(): AsyncGenerator<string> {
  yield "x".repeat(100_000);
  await aMoment();
  throw new Error("boom");
}

/** Ends when the client has disconnected. */
async function* endless(session: Session<Data>): AsyncGenerator<string> {
  try {
    yield visitsOf(session);
    await sessions.update(session, (data) => {
      data.visits = 50;
    });
    for (;;) {
      yield "on";
      await aMoment();
    }
  } finally {
    noted.ended++;
  }
}

/** Returns parts as a stream of bytes. */
export function toStream(parts: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await parts.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await parts.return(undefined);
    },
  });
}

/** Returns parts as server-sent events. */
export async function* toEvents(parts: AsyncGenerator<string>): AsyncGenerator<string> {
  for await (const data of parts) yield `data: ${data}\n\n`;
}

/** Returns the text of a WebSocket's reply. */
export function socketText(session: Session<Data> | undefined): string {
  return session === undefined ? "unknown" : visitsOf(session);
}

/** Prints the port on which the app listens. */
export function announce(port: number): void {
  console.log(`listening ${port}`);
}

/** Waits as for a store in the same data center. */
function aMoment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

function forever(): Promise<never> {
  return new Promise(() => {});
}
