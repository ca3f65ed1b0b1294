/** An app as users write it. TypeScript checks it against the declarations; it never runs. */
import {
  type App,
  BearerState,
  builder,
  CookieStore,
  Session,
  type SessionData,
  SessionError,
  type SessionEvent,
  SessionMiddleware,
  type SessionOptions,
  type SessionScope,
} from "@pagi/session";
import type { HeaderPair, Middleware, Scope } from "@pagi/session/pagi";
import { State } from "@pagi/session/state";
import type { SessionHash, StoredRecord, VersionedStore } from "@pagi/session/store";
import { DenoKvStore } from "@pagi/session/store/deno-kv";
import { MysqlStore } from "@pagi/session/store/mysql";
import { PostgresStore } from "@pagi/session/store/postgres";
import { RedisStore } from "@pagi/session/store/redis";
import { SqliteStore } from "@pagi/session/store/sqlite";
import { type TestClock, testClock, type Visitor, visitor } from "@pagi/session/testing";
import { simulateRaces, storeContract } from "@pagi/session/testing/store";

interface Shop {
  user?: string;
  visits: number;
  cart: { sku: string; count: number }[];
}

const events: SessionEvent["type"][] = [];
const options: SessionOptions = {
  secret: "replace this with: openssl rand -hex 32",
  expire: 1800,
  rotateInterval: 600,
  rotateGrace: 60,
  cookieName: "__Host-sid",
  cookieOptions: { secure: true, sameSite: "Strict", domain: false },
  onEvent: ({ type }) => void events.push(type),
  onError: ({ code }) => code === "ERR_SESSION_STORE" ? new Response(code) : undefined,
};
const sessions = new SessionMiddleware<Shop>(options);

export const handler = sessions.handler((request, session, server: { port: number }) => {
  const user: string | undefined = session.get("user", undefined);
  const count: number = session.get("cart", [])[0]?.count ?? server.port;
  session.set("visits", count).set({ user: "ada", cart: [] }).update("visits", (n = 0) => n + 1);
  // @ts-expect-error: the key does not exist
  session.get("usr");
  // @ts-expect-error: visits is a number
  session.set("visits", "many");
  // @ts-expect-error: an update must return a value of the key's type
  session.update("visits", () => user);
  // @ts-expect-error: the app must not write to the middleware's reserved keys
  session.data._created = 1;
  session.regenerate({ authenticated: true }).rotate().restart();
  // @ts-expect-error: the option has another name
  session.regenerate({ authenticate: true });
  if (session.absence === "expired") return new Response("Please sign in again");
  // @ts-expect-error: there is no such reason
  if (session.absence === "lost") return new Response();
  const { cart }: { cart?: Shop["cart"] } = session.slice("cart", "user");
  return new Response(`${request.url} ${cart?.length} ${session.id satisfies string | undefined}`);
});
// @ts-expect-error: the handler needs the server's argument
handler(new Request("http://localhost/"));

export async function outsideARequest(id: string): Promise<number> {
  const session: Session<Shop> = await sessions.update(id, (data: SessionData<Shop>) => {
    data.visits += 1;
  });
  const reader = await sessions.load(new Request("http://localhost/"));
  if (reader?.exists("user")) await sessions.destroy(session) satisfies boolean;
  return session.get("visits");
}

export const guarded = sessions.handler(async (request, session) => {
  await sessions.verifyCsrf(request, session, { origins: ["https://www.example.com"], token: 7 });
  return new Response(session.csrfToken() satisfies string);
});

export async function test(app: object): Promise<void> {
  const clock: TestClock = testClock();
  const ada: Visitor<Shop> = await visitor(sessions, { subject: "ada", data: { visits: 1 } });
  // @ts-expect-error: visits is a number
  await visitor(sessions, { data: { visits: "many" } });
  const init = { method: "POST", redirect: "follow", from: "https://a.example" } as const;
  const response: Response = await ada.fetch(app, "/", init);
  clock.advance(Number((await ada.session())?.get("visits")) + response.status);
}

export const wrapped: App = sessions.wrap(async (scope: SessionScope<Shop>, _receive, send) => {
  const session = new Session<Shop>(scope);
  scope["pagi.session"].cart.push({ sku: "tea", count: session.get("visits") });
  const headers: HeaderPair[] = [["content-type", "text/plain"]];
  await send({ type: "http.response.start", status: 200, headers });
});

/** Custom middleware. */
class Logger implements Middleware {
  readonly level: "all" | "none";
  constructor(options: { level: "all" | "none" }) {
    this.level = options.level;
  }
  wrap(app: App): App {
    return async (scope, receive, send) => await app(scope, receive, send);
  }
}
export const built: App = builder((b) =>
  b.enable(Logger, { level: "all" })
    .enableIf((scope) => scope.type === "http", "Session", {
      secret: "the secret of the tests: 32 bytes or more",
    })
    .toApp(wrapped)
);

/** A custom State. */
export class QueryState extends State {
  override extract(scope: Scope): string | undefined {
    return scope.request === undefined ? undefined : new URL(scope.request.url).hash;
  }
  override inject(headers: HeaderPair[], id: string): void {
    headers.push(["x-session", id]);
  }
}

/** A custom store. */
export class OwnStore implements VersionedStore {
  readonly #records = new Map<string, StoredRecord>();
  read(id: string): StoredRecord | undefined {
    return this.#records.get(id);
  }
  create(id: string, text: string, { lastAccess }: { lastAccess: number }): string {
    this.#records.set(id, { text, version: "1", lastAccess });
    return "1";
  }
  replace(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
  touch(): boolean {
    return false;
  }
  delete(id: string): boolean {
    return this.#records.delete(id);
  }
}
export const cases: Promise<void>[] = storeContract({ open: () => new OwnStore() })
  .map(({ run }) => run());
export const lost: Promise<number> = simulateRaces({ open: () => new OwnStore() })
  .then((report) => report.lost);

// Every store accepts a client by its shape and is a valid `store` option.
declare const kv: ConstructorParameters<typeof DenoKvStore>[0];
declare const pool: ConstructorParameters<typeof PostgresStore>[0];
declare const connection: ConstructorParameters<typeof MysqlStore>[0];
declare const database: ConstructorParameters<typeof SqliteStore>[0];
export const stores: NonNullable<SessionOptions["store"]>[] = [
  new DenoKvStore(kv),
  new PostgresStore(pool, { table: "sessions" }),
  new MysqlStore(connection),
  new SqliteStore(database),
  new RedisStore((...command: string[]) => Promise.resolve(command), { prefix: "s:" }),
  new CookieStore({ secret: ["new", "old"], purpose: "shop", revocations: new OwnStore() }),
  { get: () => undefined, set: (id: string, _data: SessionHash) => id, delete: () => {} },
];
export const bearer: SessionOptions = {
  secret: "the secret of the tests: 32 bytes or more",
  state: new BearerState({ emit: "X-Id" }),
};

export function statusOf(error: unknown): number {
  if (!(error instanceof SessionError)) return 500;
  switch (error.code) {
    case "ERR_SESSION_INTERRUPTED":
      return 409;
    // @ts-expect-error: this code does not exist
    case "ERR_SESSION_ABSENT":
      return 404;
    default:
      return error.headers.length;
  }
}
