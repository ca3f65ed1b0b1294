/**
 * Helpers for the cases. The cases use no test runner and no assertion library, so that they run in
 * every runtime.
 */
import {
  MemoryStore,
  type Session,
  SessionError,
  type SessionErrorCode,
  SessionMiddleware,
  type SessionOptions,
} from "@pagi/session";

/** Cases by their names. A case fails by throwing. */
export type Cases = Record<string, () => void | Promise<void>>;

/** The data of the sessions under test. */
export interface Data {
  user?: string;
  n?: number;
  cart?: { sku: string; count: number }[];
}

export const SECRET = "a secret of more than thirty-two bytes";
/** A duration so long that a timer left behind keeps its process from ending. */
export const A_DAY = 86_400;
/** An ID that the server did not issue. */
export const FORGED = "0123456789abcdef".repeat(4);

/** Fails unless both values are the same as JSON. */
export function same(actual: unknown, expected: unknown, what = "the value"): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) throw new Error(`${what} is ${is}, and should be ${should}`);
}

/** Fails unless `work` throws a SessionError with this code. */
export async function fails(code: SessionErrorCode, work: () => unknown): Promise<SessionError> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    same(error.code, code, "the code");
    return error;
  }
  throw new Error(`Nothing failed, and ${code} was expected`);
}

/** Creates sessions and a client on a clock that the case advances. */
export function setUp(options: Partial<SessionOptions> = {}) {
  let ms = 1_700_000_000_000;
  const now = () => ms;
  const sessions = new SessionMiddleware<Data>({
    secret: SECRET,
    store: new MemoryStore({ now }),
    storeTimeout: A_DAY,
    onEvent: () => {},
    now,
    ...options,
  });
  const advance = (seconds: number) => void (ms += seconds * 1000);
  return { sessions, client: new Client(sessions), advance, now };
}

/** The result of a visit. */
export interface Visit {
  status: number;
  /** The session's data, without the reserved keys; undefined when the handler did not run. */
  data: Data | undefined;
  /** The values of Set-Cookie. */
  cookies: string[];
}

/** A browser that opens pages and keeps its session cookie. */
export class Client {
  cookie: string;
  readonly #sessions: SessionMiddleware<Data>;

  constructor(sessions: SessionMiddleware<Data>, cookie = "") {
    this.#sessions = sessions;
    this.cookie = cookie;
  }

  /** The value of the cookie. */
  get id(): string {
    return this.cookie.slice(this.cookie.indexOf("=") + 1);
  }

  /** Sends a request whose handler runs `work`. */
  async visit(work: (session: Session<Data>) => unknown = () => {}): Promise<Visit> {
    let data: Data | undefined;
    const handler = this.#sessions.handler(async (_request, session) => {
      await work(session);
      data = session.slice("user", "n", "cart") as Data;
      return new Response("ok");
    });
    // A cookie is renewed when a browser opens a page.
    const headers = { accept: "text/html", cookie: this.cookie };
    const response = await handler(new Request("http://localhost/", { headers }));
    const cookies = response.headers.getSetCookie();
    for (const cookie of cookies) {
      this.cookie = cookie.includes("Max-Age=0") ? "" : cookie.split(";")[0]!;
    }
    return { status: response.status, data, cookies };
  }
}

/** A point in time that one request waits for and another reaches. */
export function moment(): { reached: Promise<void>; reach: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { reached: promise, reach: resolve };
}
