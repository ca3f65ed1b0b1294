/**
 * Race-safe sessions for TypeScript servers. A State carries the session ID between client and
 * server, a Store keeps the data, and the handler gets a plain object or a {@linkcode Session},
 * whose methods catch typos. This is a port of the Perl module `PAGI::Middleware::Session`. It runs
 * in Deno, Bun, Node and Cloudflare's workerd.
 *
 * Start with {@linkcode SessionMiddleware}; {@linkcode SessionOptions} lists its options. Pass a
 * Store as the option `store` and a State as the option `state`. Each of them also has its own
 * subpath, so that an app loads only what it uses. `@pagi/session/testing` contains tools for
 * tests of your app, and `@pagi/session/testing/store` those for authors of stores.
 *
 * @example
 * ```ts
 * import { SessionMiddleware } from "@pagi/session";
 *
 * const sessions = new SessionMiddleware<{ visits: number }>({
 *   secret: "replace this with: openssl rand -hex 32",
 * });
 *
 * // `deno serve main.ts`, or `bun run main.ts`
 * export default {
 *   fetch: sessions.handler((_request, session) => {
 *     session.update("visits", (visits = 0) => visits + 1);
 *     return new Response(`Visit ${session.get("visits")}\n`);
 *   }),
 * };
 * ```
 *
 * @module
 */
export {
  type DestroyAllOptions,
  type ListedSession,
  type ListOptions,
  type NodeRequest,
  type OpenSession,
  type ResponseHeaders,
  type SessionApp,
  type SessionEvent,
  type SessionHandler,
  SessionMiddleware,
  type SessionOptions,
  type SessionScope,
  type VerifyCsrfOptions,
} from "./middleware.ts";
export {
  type RegenerateOptions,
  Session,
  type SessionAbsence,
  type SessionData,
  type SessionLifetime,
  type SessionMetadata,
  type SessionSummary,
} from "./session.ts";
export { SessionError, type SessionErrorCode, type SessionErrorOptions } from "./errors.ts";
export {
  Builder,
  builder,
  type Enableable,
  type MiddlewareClass,
  type Wrapper,
} from "./adapters/builder.ts";
export type { App, Event, HeaderPair, Middleware, Receive, Scope, Send } from "./pagi.ts";
export {
  type ChosenState,
  type Extracted,
  type InjectOptions,
  type SessionState,
  State,
  type TranslatedId,
} from "./state/state.ts";
export { type CookieOptions, CookieState, type CookieStateOptions } from "./state/cookie.ts";
export { HeaderState, type HeaderStateOptions } from "./state/header.ts";
export { BearerState, type BearerStateOptions } from "./state/bearer.ts";
export { FirstState } from "./state/first.ts";
export { CallbackState, type CallbackStateOptions } from "./state/callback.ts";
export {
  type Awaitable,
  type DeleteOptions,
  type EndAllOptions,
  type EndOptions,
  type OpenedRecord,
  type OpenOptions,
  type PlainStore,
  type ReplaceOptions,
  type SealingStore,
  type SealOptions,
  type SessionHash,
  type SessionStore,
  Store,
  type StoreCallOptions,
  type StoredRecord,
  type TouchOptions,
  type VersionedStore,
  type WriteOptions,
} from "./store/store.ts";
export { MemoryStore, type MemoryStoreOptions } from "./store/memory.ts";
export {
  type BunRedisClient,
  type IoredisClient,
  type NodeRedisClient,
  type NodeRedisCluster,
  type NodeRedisOptions,
  type NodeRedisSentinel,
  type RedisClient,
  type RedisCommand,
  RedisStore,
  type RedisStoreOptions,
  type UpstashRedisClient,
} from "./store/redis.ts";
export {
  type SqliteDatabase,
  type SqliteStatement,
  SqliteStore,
  type SqliteStoreOptions,
  type SqliteSweepOptions,
} from "./store/sqlite.ts";
export {
  type PgClient,
  type PostgresClient,
  PostgresStore,
  type PostgresStoreOptions,
  type PostgresSweepOptions,
  type PostgresTag,
} from "./store/postgres.ts";
export {
  type MysqlClient,
  MysqlStore,
  type MysqlStoreOptions,
  type MysqlSweepOptions,
} from "./store/mysql.ts";
export {
  type DenoKv,
  type DenoKvAtomic,
  type DenoKvEntry,
  type DenoKvKeyPart,
  DenoKvStore,
  type DenoKvStoreOptions,
} from "./store/deno_kv.ts";
export { HashedStore } from "./store/hashed.ts";
export { SealedStore, type SealedStoreOptions } from "./store/sealed.ts";
export { CookieStore, type CookieStoreOptions } from "./store/cookie.ts";
