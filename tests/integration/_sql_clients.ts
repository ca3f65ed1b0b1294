/**
 * Every kind of client that PostgresStore and MysqlStore take, opened on an address. The drivers are
 * named here, with their versions, and nowhere else. Their own types are not loaded: they bring
 * Node's along, for the whole check. `sql_types_test.ts` holds the stores to them.
 */
import type { MysqlClient, MysqlPromiseClient } from "@pagi/session/store/mysql";
import type {
  PgClient,
  PgPromiseDatabase,
  PostgresClient,
  PostgresTag,
} from "@pagi/session/store/postgres";

/** The drivers. */
export const DRIVERS = {
  pg: "npm:pg@8.23.1",
  postgres: "npm:postgres@3.4.9",
  mysql2: "npm:mysql2@3.24.6",
  mysql2Promise: "npm:mysql2@3.24.6/promise",
  mariadb: "npm:mariadb@3.4.5",
  pgPromise: "npm:pg-promise@11.15.0",
  pglite: "npm:@electric-sql/pglite@0.3.14",
  libsql: "npm:libsql@0.5.22",
};

/** A client, a way past the store, and how it is closed. */
export interface OpenSql<Client> {
  client: Client;
  /** Runs a statement; the rows. */
  ask(sql: string): Promise<Row[]>;
  close(): Promise<unknown>;
}

type Row = Record<string, unknown>;

/** Opens a client on a server. */
export type SqlOpener<Client> = (url: string) => Promise<OpenSql<Client>>;

/** The parts of the drivers that this file uses. */
interface Pg {
  Pool: new (options: { connectionString: string; max?: number }) => PgLike;
  Client: new (options: { connectionString: string }) => PgLike & { connect(): Promise<void> };
}
interface PgLike extends PgClient {
  on(event: "error", listen: () => void): unknown;
  end(): Promise<void>;
}
interface Postgres {
  (
    url: string,
    options: object,
  ): PostgresTag & { end(options: { timeout: number }): Promise<void> };
  camel: unknown;
}
interface Mysql {
  createPool(options: object): MysqlLike & { promise(): MysqlLike };
  createConnection(options: object): Promise<MysqlLike>;
}
interface MysqlLike extends MysqlPromiseClient {
  query(sql: string): Promise<[unknown, unknown]>;
  end(): Promise<void>;
}

interface MariadbLike extends MysqlPromiseClient {
  query(sql: string): Promise<unknown>;
  end(): Promise<void>;
}
interface Mariadb {
  createPool(options: object): MariadbLike;
  createConnection(options: object): Promise<MariadbLike>;
}
type PgPromise = (options: object) => (url: string) => PgPromiseDatabase & {
  any(sql: string): Promise<Row[]>;
  $pool: { end(): Promise<void> };
};

/** How many connections a pool has. */
const POOL = 8;

/** The clients of PostgreSQL. */
export const POSTGRES_CLIENTS: { [name: string]: SqlOpener<PostgresClient> } = {
  async "a Pool of pg"(url) {
    const { Pool } = (await import(DRIVERS.pg)).default as Pg;
    return await openPg(new Pool({ connectionString: url, max: POOL }));
  },
  async "a Client of pg"(url) {
    const { Client } = (await import(DRIVERS.pg)).default as Pg;
    const client = new Client({ connectionString: url });
    await client.connect();
    return await openPg(client);
  },
  "postgres.js": (url) => openPostgresJs(url, {}),
  "postgres.js that renames columns": async (url) => {
    const { camel } = (await import(DRIVERS.postgres)).default as Postgres;
    return await openPostgresJs(url, { transform: camel });
  },
  "postgres.js that prepares nothing": (url) => openPostgresJs(url, { prepare: false }),
  async "a database of pg-promise"(url) {
    const pgPromise = (await import(DRIVERS.pgPromise)).default as PgPromise;
    // It warns about each second object for the same database.
    const client = pgPromise({ noWarnings: true })(url);
    const ask = (sql: string) => client.any(sql);
    return await opened({ client, ask, close: () => client.$pool.end() });
  },
};

/** Opens clients with options of their own. Each has a way past the store without these options. */
export const openSql = {
  async mysql2(url: string, options: object): Promise<OpenSql<unknown>> {
    const { createPool } = await import(DRIVERS.mysql2Promise) as Mysql;
    return await besides(createPool({ uri: url, ...options }), url);
  },
  async mariadb(url: string, options: object): Promise<OpenSql<unknown>> {
    const { createPool } = (await import(DRIVERS.mariadb)).default as Mariadb;
    return await besides(createPool({ ...addressOf(url), ...options }), url);
  },
  async pg(url: string, options: object): Promise<OpenSql<unknown>> {
    const { Pool } = (await import(DRIVERS.pg)).default as Pg;
    const client = new Pool({ connectionString: url, ...options });
    client.on("error", () => {});
    const { ask, close } = await POSTGRES_CLIENTS["a Client of pg"]!(url);
    return { client, ask, close: () => Promise.all([client.end(), close()]) };
  },
  async postgresJs(url: string, options: object): Promise<OpenSql<unknown>> {
    const { client, close: end } = await openPostgresJs(url, options);
    const { ask, close } = await POSTGRES_CLIENTS["a Client of pg"]!(url);
    return { client, ask, close: () => Promise.all([end(), close()]) };
  },
};

async function besides(client: { end(): Promise<void> }, url: string): Promise<OpenSql<unknown>> {
  const { ask, close } = await MYSQL_CLIENTS["a connection of mysql2"]!(url);
  return { client, ask, close: () => Promise.all([client.end(), close()]) };
}

/** MariaDB's connector takes the parts of an address. */
function addressOf(url: string): object {
  const { hostname: host, port, username: user, pathname } = new URL(url);
  return { host, port: Number(port || 3306), user, database: pathname.slice(1) };
}

async function openPg(client: PgLike): Promise<OpenSql<PgClient>> {
  // A server that stops ends the connections, and without a listener that ends the process.
  client.on("error", () => {});
  const ask = async (sql: string) => (await client.query(sql)).rows as Row[];
  return await opened({ client, ask, close: () => client.end() });
}

async function openPostgresJs(url: string, options: object): Promise<OpenSql<PostgresTag>> {
  const postgres = (await import(DRIVERS.postgres)).default as Postgres;
  const client = postgres(url, { max: POOL, onnotice: () => {}, ...options });
  const ask = async (sql: string) => [...await client.unsafe(sql) as Row[]];
  // With a limit, because behind some poolers it waits for answers that never come.
  return await opened({ client, ask, close: () => client.end({ timeout: 5 }) });
}

/** The clients of MySQL. Two kinds of counting: the rows that were found, and those that changed. */
export const MYSQL_CLIENTS: { [name: string]: SqlOpener<MysqlClient> } = {
  "a pool of mysql2": (url) => openMysqlPool(url, {}),
  "a pool of mysql2 that counts what changed": (url) =>
    openMysqlPool(url, { flags: ["-FOUND_ROWS"] }),
  "a pool of mysql2 with numbers as text": (url) =>
    openMysqlPool(url, { supportBigNumbers: true, bigNumberStrings: true }),
  async "a connection of mysql2"(url) {
    const { createConnection } = await import(DRIVERS.mysql2Promise) as Mysql;
    return await openMysql(await createConnection({ uri: url }));
  },
  async "the result of promise() of mysql2"(url) {
    const { createPool } = (await import(DRIVERS.mysql2)).default as Mysql;
    return await openMysql(createPool({ uri: url, connectionLimit: POOL }).promise());
  },
  async "a pool of mysql2 with callbacks"(url) {
    const { createPool } = (await import(DRIVERS.mysql2)).default as Mysql;
    const client = createPool({ uri: url, connectionLimit: POOL });
    const { ask } = await openMysql(client.promise());
    return { client, ask, close: () => client.promise().end() };
  },
  async "a pool of MariaDB's connector"(url) {
    const { createPool } = (await import(DRIVERS.mariadb)).default as Mariadb;
    return await openMariadb(createPool({ ...addressOf(url), connectionLimit: POOL }));
  },
  async "a connection of MariaDB's connector"(url) {
    const { createConnection } = (await import(DRIVERS.mariadb)).default as Mariadb;
    return await openMariadb(await createConnection(addressOf(url)));
  },
};

async function openMariadb(client: MariadbLike): Promise<OpenSql<MysqlClient>> {
  const ask = async (sql: string) => {
    const rows = await client.query(sql);
    return Array.isArray(rows) ? rows : [];
  };
  return await opened({ client, ask, close: () => client.end() });
}

async function openMysqlPool(url: string, options: object): Promise<OpenSql<MysqlClient>> {
  const { createPool } = await import(DRIVERS.mysql2Promise) as Mysql;
  return await openMysql(createPool({ uri: url, connectionLimit: POOL, ...options }));
}

async function openMysql(client: MysqlLike): Promise<OpenSql<MysqlClient>> {
  const ask = async (sql: string) => {
    const [rows] = await client.query(sql);
    return Array.isArray(rows) ? rows : [];
  };
  return await opened({ client, ask, close: () => client.end() });
}

/** Makes sure that somebody answers. */
async function opened<Client>(open: OpenSql<Client>): Promise<OpenSql<Client>> {
  try {
    await open.ask("SELECT 1");
    return open;
  } catch (error) {
    await open.close();
    throw error;
  }
}
