/** Runs a recorded scenario of the Perl reference through `wrap`, and tells what was seen. */
import {
  BearerState,
  CallbackState,
  type CookieOptions,
  CookieState,
  type HeaderPair,
  HeaderState,
  Session,
  type SessionHash,
  SessionMiddleware,
  type SessionOptions,
  type SessionScope,
  type SessionState,
} from "@pagi/session";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface Step {
  type: string;
  advance?: number;
  client?: string;
  forge?: string;
  as: "cookie" | "header" | "bearer";
  cookie_prefix?: string;
  cookie_suffix?: string;
  header_name?: string;
  value_prefix?: string;
  learn?: boolean;
  double?: boolean | number;
  respond?: number;
  fail?: boolean | number;
  ops: [name: string, ...args: Json[]][];
  expect: Record<string, Json>;
}

export interface Scenario {
  name: string;
  config: {
    expire?: number;
    cookie_name?: string;
    cookie_options?: { httponly?: number; path?: string; samesite?: string; secure?: number };
    state?: { kind: string; header_name?: string; pattern?: string };
  };
  steps: Step[];
}

type Seen = Record<string, unknown>;

/** PAGI's store: JSON under `get`, `set` and `delete`. */
class JsonStore {
  readonly texts = new Map<string, string>();
  get(id: string): Promise<SessionHash | undefined> {
    const text = this.texts.get(id);
    return Promise.resolve(text === undefined ? undefined : JSON.parse(text));
  }
  set(id: string, data: SessionHash): Promise<string> {
    this.texts.set(id, JSON.stringify(data));
    return Promise.resolve(id);
  }
  delete(id: string): Promise<void> {
    this.texts.delete(id);
    return Promise.resolve();
  }
}

/** What every step of the scenario showed, in the form in which the reference was recorded. */
export async function replay(scenario: Scenario): Promise<Seen[]> {
  let clock = 1_700_000_000;
  const store = new JsonStore();
  const { state, cookieName } = stateOf(scenario);
  const sessions = new SessionMiddleware({
    secret: "the secret of the conformance tests",
    saveUninitialized: true,
    rolling: false,
    touchInterval: 0,
    expire: scenario.config.expire,
    store,
    now: () => clock * 1000,
    ...state,
  });
  const known = new Map<string, string>();
  const names = new Map<string, string>();
  const nameOf = (id: string) => {
    if (!/^[0-9a-f]{64}$/.test(id)) return id;
    if (!names.has(id)) names.set(id, `S${names.size + 1}`);
    return names.get(id)!;
  };
  const steps: Seen[] = [];
  for (const step of scenario.steps) {
    clock += step.advance ?? 0;
    const client = step.client ?? "a";
    const seen: Seen = { has_session: false, results: [], failed: false };
    const sent: HeaderPair[] = [];
    const inner = async (scope: SessionScope, _receive: unknown, send: Sender) => {
      look(scope, seen, nameOf);
      if (step.learn && scope["pagi.session_id"]) known.set(client, scope["pagi.session_id"]);
      if (seen.has_session) seen.results = step.ops.map((op) => perform(scope, op));
      if (step.type === "http" && step.respond !== 0) {
        await send({ type: "http.response.start", status: 200, headers: [] });
        await send({ type: "http.response.body", body: "" });
      }
      if (step.fail) throw new Error("the app failed");
    };
    const wrapped = sessions.wrap(inner);
    try {
      await (step.double ? sessions.wrap(wrapped) : wrapped)(
        scopeOf(step, step.forge ?? known.get(client), cookieName),
        () => Promise.resolve({ type: "http.request" }),
        (event) => {
          sent.push(...(event.headers as HeaderPair[] ?? []));
          return Promise.resolve();
        },
      );
    } catch (error) {
      if ((error as Error).message !== "the app failed") throw error;
      seen.failed = true;
    }
    seen.cookies = sent.filter(([name]) => name.toLowerCase() === "set-cookie").map(([, value]) => {
      const [pair, ...attributes] = value.split("; ");
      const [name, id] = pair!.split("=") as [string, string];
      if (name === cookieName) {
        if (id === "") known.delete(client);
        else known.set(client, id);
      }
      return { name, id: nameOf(id), attrs: attributes.map((text) => text.toLowerCase()).sort() };
    });
    seen.store = Object.fromEntries(
      [...store.texts].map(([id, text]) => {
        const hash = JSON.parse(text);
        return [nameOf(id), { ...hash, _id: nameOf(hash._id) }];
      }),
    );
    steps.push(seen);
  }
  return steps;
}

type Sender = (event: { type: string; [key: string]: unknown }) => Promise<void>;

function stateOf({ config }: Scenario): {
  state: Pick<SessionOptions, "state" | "cookieName" | "cookieOptions">;
  cookieName: string;
} {
  const { state, cookie_name: cookieName, cookie_options: given } = config;
  const of = (state: SessionState) => ({ state: { state }, cookieName: "pagi_session" });
  if (state?.kind === "bearer") return of(new BearerState());
  if (state?.kind === "header") {
    const pattern = state.pattern === undefined ? undefined : new RegExp(state.pattern, "i");
    return of(new HeaderState({ headerName: state.header_name!, pattern }));
  }
  if (state?.kind === "mixed") {
    const bearer = new BearerState();
    const cookie = new CookieState();
    return of(
      new CallbackState({
        extract: (scope) => bearer.extract(scope) ?? cookie.extract(scope),
        inject: (headers, id, options) => cookie.inject(headers, id, options),
        clear: (headers) => cookie.clear(headers),
      }),
    );
  }
  // The reference's options replace its defaults; ours are merged over them.
  const cookieOptions: CookieOptions | undefined = given && {
    httpOnly: Boolean(given.httponly),
    path: given.path ?? "/",
    sameSite: given.samesite as CookieOptions["sameSite"] ?? false,
    secure: Boolean(given.secure),
  };
  return { state: { cookieName, cookieOptions }, cookieName: cookieName ?? "pagi_session" };
}

function scopeOf(step: Step, id: string | undefined, cookieName: string) {
  if (step.type === "lifespan") return { type: "lifespan" };
  const headers: HeaderPair[] = [];
  if (step.as === "cookie") {
    const pair = id === undefined ? "" : `${cookieName}=${id}`;
    const value = `${step.cookie_prefix ?? ""}${pair}${step.cookie_suffix ?? ""}`;
    if (value !== "") headers.push(["cookie", value]);
  } else if (id !== undefined) {
    headers.push(
      step.as === "bearer"
        ? ["authorization", `Bearer ${id}`]
        : [step.header_name!, `${step.value_prefix ?? ""}${id}`],
    );
  }
  return { type: step.type, path: "/", headers };
}

function look(scope: SessionScope, seen: Seen, nameOf: (id: string) => string): void {
  const data = scope["pagi.session"];
  if (data === undefined) return;
  const { _id, _created, _last_access } = data;
  seen.has_session = true;
  seen.id = _id === undefined ? null : nameOf(_id);
  seen.scope_id = "pagi.session_id" in scope ? nameOf(scope["pagi.session_id"]!) : "absent";
  const user = Object.entries(data).filter(([key]) => !key.startsWith("_"));
  seen.loaded = structuredClone(Object.fromEntries(user));
  seen.meta = _created === undefined ? {} : { _created, _last_access };
}

function perform(scope: SessionScope, [name, ...args]: Step["ops"][number]): unknown {
  const data = scope["pagi.session"];
  const session = new Session(scope);
  const key = args[0] as string;
  try {
    switch (name) {
      case "get":
        return {
          ok: structuredClone(args.length > 1 ? session.get(key, args[1]) : session.get(key)),
        };
      case "exists":
        return { ok: session.exists(key) };
      case "keys":
        return { ok: session.keys().sort() };
      case "slice":
        return { ok: structuredClone(session.slice(...args as string[])) };
      case "set":
        for (let at = 0; at < args.length; at += 2) session.set(args[at] as string, args[at + 1]);
        break;
      case "delete":
        session.delete(...args as string[]);
        break;
      case "clear":
        session.clear();
        break;
      case "regenerate":
        session.regenerate();
        break;
      case "destroy":
        session.destroy();
        break;
      case "raw_set":
        data[key] = args[1];
        break;
      case "data_set":
        session.data[key] = args[1];
        break;
      case "nested_set": {
        const nested = data[key];
        if (typeof nested !== "object" || nested === null) data[key] = {};
        (data[key] as Record<string, Json>)[args[1] as string] = args[2]!;
        break;
      }
      default:
        throw new RangeError(`unknown op ${name}`);
    }
    return { ok: null };
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return { err: true };
  }
}
