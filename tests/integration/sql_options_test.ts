/**
 * No setting of a client or of a connection changes what a store on SQL returns. Each is tried with a
 * session of a middleware, and with texts that character sets and column types are known to change.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { SessionMiddleware } from "@pagi/session";
import type { VersionedStore } from "@pagi/session/store";
import { type MysqlClient, MysqlStore } from "@pagi/session/store/mysql";
import { type PostgresClient, PostgresStore } from "@pagi/session/store/postgres";
import { SqliteStore } from "@pagi/session/store/sqlite";
import { MYSQL_CLIENTS, openSql, POSTGRES_CLIENTS } from "./_sql_clients.ts";
import { anyMysql, anyPostgres, mysqlMissing, postgresMissing } from "./_sql_servers.ts";
import { newId, newTable, openRig, type SqlStore, write } from "./_sql_suite.ts";
import { serverTest } from "./_servers.ts";

const { signal } = write;
const SECRET = "a secret of more than 32 characters";
/** A driver that keeps the low byte of each character turns this into other JSON. */
const NICKNAME = "xĢ,ĢisAdminĢ:true,ĢyĢ:Ģ";
const TEXTS = [
  "",
  " ",
  "a ",
  " a",
  "a\0b",
  "\t\n\r\x1b\x7f",
  `{"nick":"${NICKNAME}"}`,
  "é ß ω \u0130 \ufeff \u2028 𝒳 \ud800",
  String.raw`\ " ' \\ \' \u0041 [{|}] ~^@` + "`",
  JSON.stringify(NICKNAME),
];

/** Holds a store to what it wrote. */
async function holdToText(store: VersionedStore): Promise<void> {
  for (const text of TEXTS) {
    const id = newId();
    const lastAccess = 1_700_000_000.123;
    const created = await store.create(id, text, { ...write, lastAccess });
    assertEquals(await store.read(id, { signal }), { text, version: created!, lastAccess });
    const next = await store.replace(id, `${text}é`, { ...write, version: created! });
    assertEquals(await store.read(id, { signal }), {
      text: `${text}é`,
      version: next!,
      lastAccess: write.lastAccess,
    });
    assert(await store.touch(id, { ...write, version: next!, text: "" }));
    const { version } = (await store.read(id, { signal }))!;
    assertEquals(await store.delete(id, { version: next, signal }), false);
    assertEquals(await store.delete(id, { version, signal }), true);
    assertEquals(await store.read(id, { signal }), undefined);
  }
}

/** A user who signs in, is recognized, and has the nickname that they chose. */
async function holdToSession(store: VersionedStore): Promise<void> {
  const sessions = new SessionMiddleware({ secret: SECRET, store });
  const handler = sessions.handler((_request, session) => {
    if (session.get("nick", undefined) === undefined) {
      session.subject = "ada";
      session.set("nick", NICKNAME);
    }
    const { _id, _created, _last_access, ...data } = session.data;
    return Response.json(data);
  });
  const first = await handler(new Request("http://localhost/"));
  assertEquals(first.status, 200, await first.clone().text());
  const cookie = first.headers.getSetCookie()[0]!.split(";")[0]!;
  const second = await handler(new Request("http://localhost/", { headers: { cookie } }));
  assertEquals(second.status, 200, await second.clone().text());
  assertEquals(second.headers.getSetCookie(), []);
  assertEquals((await second.json()).nick, NICKNAME);
}

async function hold(store: SqlStore): Promise<void> {
  await store.setup();
  await store.setup();
  await holdToText(store);
  await holdToSession(store);
  const version = await store.create(newId(), "", write);
  assert(version !== undefined);
}

/** What MySQL's field gives a `typeCast`. */
interface Field {
  type: string;
  string(): string | null;
  buffer(): Uint8Array | null;
}
const MYSQL_OPTIONS: { [name: string]: object } = {
  "typeCast to strings": { typeCast: (field: Field) => field.string() },
  "typeCast to buffers": { typeCast: (field: Field) => field.buffer() },
  "typeCast: false": { typeCast: false },
  rowsAsArray: { rowsAsArray: true },
  "nestTables": { nestTables: true },
  "nestTables with a separator": { nestTables: "_" },
  "numbers as text": { supportBigNumbers: true, bigNumberStrings: true, decimalNumbers: true },
  "dates as text": { dateStrings: true, timezone: "+13:00" },
  "named placeholders": { namedPlaceholders: true },
};
const MARIADB_OPTIONS: { [name: string]: object } = {
  ...MYSQL_OPTIONS,
  metaAsArray: { metaAsArray: true },
  "metaAsArray with rowsAsArray": { metaAsArray: true, rowsAsArray: true },
  insertIdAsNumber: { insertIdAsNumber: true },
};
delete MARIADB_OPTIONS["typeCast: false"];

/** Tries options of a client, all in one test: opening a client is most of the time. */
function testOptions<Client>(
  missing: string | undefined,
  name: string,
  options: { [name: string]: object },
  start: typeof anyMysql,
  connect: (url: string, options: object) => ReturnType<typeof openSql.mysql2>,
  open: (client: Client, table: string) => SqlStore,
): void {
  serverTest(missing, name, async (t) => {
    for (const [option, value] of Object.entries(options)) {
      await t.step(option, async () => {
        await using rig = await openRig(start, (url) => connect(url, value));
        await hold(open(rig.client as Client, rig.table));
      });
    }
  });
}

const openMysql = (client: MysqlClient, table: string) => new MysqlStore(client, { table });

testOptions(
  mysqlMissing,
  "MysqlStore returns the same with any option of mysql2",
  MYSQL_OPTIONS,
  anyMysql,
  openSql.mysql2,
  openMysql,
);
testOptions(
  mysqlMissing,
  "MysqlStore returns the same with any option of MariaDB's connector",
  MARIADB_OPTIONS,
  anyMysql,
  openSql.mariadb,
  openMysql,
);

serverTest(mysqlMissing, "MysqlStore keeps texts in any charset of mysql2", async (t) => {
  const charsets = ["latin1", "ascii", "utf8", "utf8mb4", "gbk", "big5", "sjis", "cp932", "koi8r"];
  charsets.push("latin5", "greek", "cp1251", "hebrew", "UTF8MB4_TURKISH_CI", "BINARY");
  for (const charset of charsets) {
    await t.step(charset, async () => {
      await using rig = await openRig(anyMysql, (url) => openSql.mysql2(url, { charset }));
      await hold(openMysql(rig.client as MysqlClient, rig.table));
    });
  }
});

serverTest(mysqlMissing, "MysqlStore keeps texts in any character set of the server", async () => {
  const connect = MYSQL_CLIENTS["a connection of mysql2"]!;
  await using rig = await openRig(anyMysql, connect);
  await openMysql(rig.client, rig.table).setup();
  const charsets = await rig.ask(
    "SELECT character_set_name AS name FROM information_schema.character_sets",
  );
  const refused: string[] = [];
  for (const { name } of charsets) {
    for (const variable of ["client", "connection", "results"]) {
      const { client, ask, close } = await connect(rig.url);
      try {
        await ask(`SET character_set_${variable} = ${name}`);
        await holdToText(openMysql(client, rig.table));
      } catch (error) {
        // An error is no wrong text: neither the server nor a driver knows each in each place.
        if (error instanceof Error && error.name === "AssertionError") throw error;
        refused.push(`${variable} ${name}`);
      } finally {
        await close().catch(() => {});
      }
    }
  }
  assert(charsets.length > 30 && refused.length < charsets.length, refused.join());
});

/** Tables as someone may have created them manually. */
const columns = (type: string) => `id ${type}, version ${type}, text`;
const MYSQL_TABLES = [
  `(${
    columns("VARCHAR(64)")
  } LONGTEXT, last_access DOUBLE, expires_at DOUBLE, PRIMARY KEY (id)) CHARACTER SET latin1`,
  `(${
    columns("CHAR(64)")
  } VARCHAR(5000), last_access DOUBLE, expires_at DOUBLE, PRIMARY KEY (id)) CHARACTER SET utf8mb4`,
  `(${
    columns("VARCHAR(64) CHARACTER SET gbk")
  } TEXT CHARACTER SET latin1 COLLATE latin1_general_ci, last_access DECIMAL(20,3), expires_at DECIMAL(20,3), PRIMARY KEY (id))`,
  `(${columns("VARBINARY(64)")} BLOB, last_access DOUBLE, expires_at DOUBLE, PRIMARY KEY (id))`,
  `(${
    columns("CHAR(64) CHARACTER SET ucs2")
  } CHAR(255) CHARACTER SET ascii, last_access DOUBLE, expires_at DOUBLE, PRIMARY KEY (id))`,
];

for (const mode of ["", "PAD_CHAR_TO_FULL_LENGTH", "ANSI,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES"]) {
  serverTest(
    mysqlMissing,
    `MysqlStore keeps texts in tables that were created manually, with sql_mode "${mode}"`,
    async (t) => {
      for (const definition of MYSQL_TABLES) {
        await t.step(definition, async () => {
          await using rig = await openRig(anyMysql, MYSQL_CLIENTS["a connection of mysql2"]!);
          await rig.ask(`CREATE TABLE ${rig.table} ${definition}`);
          await rig.ask(`SET SESSION sql_mode = '${mode}'`);
          await hold(openMysql(rig.client, rig.table));
        });
      }
    },
  );
}

serverTest(mysqlMissing, "MysqlStore refuses a text that the server would cut off", async () => {
  const definition = (length: number) =>
    `(id VARCHAR(64) PRIMARY KEY, version VARCHAR(24), text VARCHAR(${length}), ` +
    "last_access DOUBLE, expires_at DOUBLE)";
  for (const callsSetup of [true, false]) {
    await using rig = await openRig(anyMysql, MYSQL_CLIENTS["a connection of mysql2"]!);
    const { client, ask, table } = rig;
    await ask("SET SESSION sql_mode = ''");
    const store = openMysql(client, table);
    if (!callsSetup) await assertRejects(() => store.create(newId(), "", write), Error, "setup()");
    await ask(`CREATE TABLE ${table} ${definition(100)}`);
    if (callsSetup) await store.setup();
    const [id, text] = [newId(), "x".repeat(100)];
    const version = (await store.create(id, text, write))!;
    const tooLong = [RangeError, "column text, which holds 100"] as const;
    await assertRejects(() => store.create(newId(), `${text}x`, write), ...tooLong);
    await assertRejects(() => store.replace(id, `${text}x`, { ...write, version }), ...tooLong);
    // A character that is not ASCII takes more room.
    await assertRejects(() => store.replace(id, "é".repeat(50), { ...write, version }), ...tooLong);
    assertEquals((await store.read(id))?.text, text);
    await ask(`ALTER TABLE ${table} MODIFY text TEXT`);
    assert(await store.replace(id, "é".repeat(50), { ...write, version }) !== undefined);
    await ask(`ALTER TABLE ${table} MODIFY version VARCHAR(10)`);
    const other = openMysql(client, table);
    await assertRejects(() => other.create(newId(), "", write), RangeError, "column version");
  }
});

const POSTGRES_OPTIONS: { [name: string]: object } = {
  "texts as they are": { types: { getTypeParser: () => (value: unknown) => value } },
  "binary results": { binary: true },
  "a parser that fails": {
    types: {
      getTypeParser: (oid: number) => (value: unknown) => {
        if (oid !== 25) throw new Error(`There should be no value of type ${oid}`);
        return value;
      },
    },
  },
};
testOptions(
  postgresMissing,
  "PostgresStore returns the same with any option of pg",
  POSTGRES_OPTIONS,
  anyPostgres,
  openSql.pg,
  (client: PostgresClient, table) => new PostgresStore(client, { table }),
);

const POSTGRES_JS_OPTIONS: { [name: string]: object } = {
  "columns in camel case": {
    transform: { column: { to: (name: string) => name, from: () => "x" } },
  },
  "rows as lists": { transform: { row: { from: (row: object) => Object.values(row) } } },
  "rows in an object": { transform: { row: { from: (row: object) => ({ row }) } } },
  "values that are trimmed": {
    transform: { value: { from: (value: unknown) => String(value).trim() } },
  },
  "undefined as null": { transform: { undefined: null } },
  "prepared": { prepare: true },
};
testOptions(
  postgresMissing,
  "PostgresStore returns the same with any option of postgres.js",
  POSTGRES_JS_OPTIONS,
  anyPostgres,
  openSql.postgresJs,
  (client: PostgresClient, table) => new PostgresStore(client, { table }),
);

const POSTGRES_SETTINGS = [
  "client_encoding = 'LATIN1'",
  "client_encoding = 'WIN1252'",
  "client_encoding = 'SQL_ASCII'",
  "client_encoding = 'SJIS'",
  "client_encoding = 'GBK'",
  "client_encoding = 'EUC_JP'",
  "client_encoding = 'KOI8R'",
  "extra_float_digits = -15",
  "extra_float_digits = 3",
  "standard_conforming_strings = off",
  "bytea_output = 'escape'",
  "lc_numeric = 'C'",
  "IntervalStyle = 'sql_standard'",
  "quote_all_identifiers = on",
];
serverTest(postgresMissing, "PostgresStore keeps texts with any setting", async (t) => {
  for (const setting of POSTGRES_SETTINGS) {
    await t.step(setting, async () => {
      await using rig = await openRig(anyPostgres, POSTGRES_CLIENTS["a Client of pg"]!);
      await rig.ask(`SET ${setting}`);
      await hold(new PostgresStore(rig.client, { table: rig.table }));
    });
  }
});

serverTest(
  postgresMissing,
  "PostgresStore keeps texts in a database of any encoding",
  async (t) => {
    await using rig = await openRig(anyPostgres, POSTGRES_CLIENTS["a Client of pg"]!);
    for (const encoding of ["SQL_ASCII", "LATIN1", "EUC_JP", "KOI8R"]) {
      await t.step(encoding, async () => {
        const database = newTable();
        await rig.ask(
          `CREATE DATABASE ${database} ENCODING '${encoding}' LOCALE 'C' TEMPLATE template0`,
        );
        try {
          const url = new URL(rig.url);
          url.pathname = `/${database}`;
          const { client, close } = await POSTGRES_CLIENTS["a Pool of pg"]!(url.href);
          await hold(new PostgresStore(client));
          await close();
        } finally {
          await rig.ask(`DROP DATABASE ${database}`);
        }
      });
    }
  },
);

const POSTGRES_TABLES = [
  `(${
    columns("varchar(64)")
  } varchar(5000), last_access numeric, expires_at numeric, PRIMARY KEY (id))`,
  `(${
    columns("char(64)")
  } char(5000), last_access double precision, expires_at double precision, PRIMARY KEY (id))`,
];
serverTest(
  postgresMissing,
  "PostgresStore keeps texts in tables that were created manually",
  async (t) => {
    for (const definition of POSTGRES_TABLES) {
      await t.step(definition, async () => {
        await using rig = await openRig(anyPostgres, POSTGRES_CLIENTS["a Pool of pg"]!);
        const { client, ask, table } = rig;
        await ask(`CREATE TABLE ${table} ${definition}`);
        const store = new PostgresStore(client, { table });
        await hold(store);
        await assertRejects(
          () => store.create(newId(), "x".repeat(5001), write),
          Error,
          "too long",
        );
        await assertRejects(
          () => store.create(newId(), " ".repeat(5001), write),
          Error,
          "too long",
        );
      });
    }
  },
);

Deno.test("SqliteStore returns the same with any option of node:sqlite", async (t) => {
  const { options } = { options: [{ returnArrays: true }, { readBigInts: true }, {}] as object[] };
  for (const option of options) {
    for (const encoding of ["UTF-8", "UTF-16"]) {
      await t.step(`${JSON.stringify(option)}, ${encoding}`, async () => {
        using database = new DatabaseSync(":memory:", option);
        database.exec(`PRAGMA encoding = '${encoding}'`);
        await hold(new SqliteStore(database));
      });
    }
  }
});
