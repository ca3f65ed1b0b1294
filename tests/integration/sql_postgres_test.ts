import { assert, assertEquals, assertRejects } from "@std/assert";
import { type PgClient, PostgresStore } from "@pagi/session/store/postgres";
import { POSTGRES_CLIENTS } from "./_sql_clients.ts";
import { anyPostgres, postgresMissing } from "./_sql_servers.ts";
import { callAll, holdSqlStore, newId, newTable, openRig, raceSetup, write } from "./_sql_suite.ts";
import { serverTest } from "./_servers.ts";
import { holdToContract, race } from "./_suites.ts";

/** Races for each client. */
const RACES = 100;
const POOL = "a Pool of pg";

for (const [name, connect] of Object.entries(POSTGRES_CLIENTS)) {
  serverTest(postgresMissing, `PostgresStore on ${name} keeps the contract`, async (t) => {
    await using rig = await openRig(anyPostgres, connect);
    const { client, ask, table } = rig;
    const open = (options = {}) => new PostgresStore(client, { table, ...options });
    await holdSqlStore(t, { open, ask, table }, RACES);
  });

  serverTest(postgresMissing, `PostgresStore.setup() on ${name} may race`, async () => {
    await using server = await anyPostgres();
    const table = newTable();
    await raceSetup(async () => {
      const { client, ask, close } = await connect(server.url);
      return { store: new PostgresStore(client, { table }), ask, close };
    }, table);
  });
}

for (const isolation of ["repeatable read", "serializable"]) {
  serverTest(postgresMissing, `PostgresStore keeps the contract under ${isolation}`, async (t) => {
    const option = `-c default_transaction_isolation=${isolation.replaceAll(" ", "\\ ")}`;
    const query = `?options=${encodeURIComponent(option)}`;
    await using rig = await openRig(anyPostgres, POSTGRES_CLIENTS[POOL]!, query);
    const { client, ask, table } = rig;
    assertEquals((await ask("SHOW transaction_isolation"))[0]!.transaction_isolation, isolation);
    const store = new PostgresStore(client, { table });
    await store.setup();
    await holdToContract(t, store);
    await t.step("no race breaks a session", () => race(store, RACES));
  });
}

serverTest(postgresMissing, "PostgresStore has each statement prepared once", async () => {
  const prepared = async (name: string, options: { prepare?: boolean }) => {
    await using rig = await openRig(anyPostgres, POSTGRES_CLIENTS[name]!);
    const { client, ask, table } = rig;
    const store = new PostgresStore(client, { table, sweep: false, ...options });
    await store.setup();
    for (let round = 0; round < 3; round++) await callAll(store);
    const statements = await ask("SELECT statement FROM pg_prepared_statements");
    return statements.filter(({ statement }) => String(statement).includes(table)).length;
  };
  assertEquals(await prepared("a Client of pg", {}), 6);
  assertEquals(await prepared("a Client of pg", { prepare: false }), 0);
  assertEquals(await prepared("postgres.js that prepares nothing", {}), 0);
});

serverTest(postgresMissing, "PostgresStore finds rows by its indexes", async () => {
  await using rig = await openRig(anyPostgres, POSTGRES_CLIENTS["a Client of pg"]!);
  const { client, ask, table } = rig;
  const pg = client as PgClient;
  const plans: [sql: string, plan: string][] = [];
  const explaining: PgClient = {
    async query(sql, values) {
      if (/^(SELECT id|INSERT|UPDATE|DELETE)/.test(sql)) {
        const { rows } = await pg.query(`EXPLAIN ${sql}`, values);
        plans.push([sql, rows.map((row) => Object.values(row as object)[0]).join("\n")]);
      }
      return await pg.query(sql, values);
    },
  };
  const store = new PostgresStore(explaining, { table, prepare: false, sweep: false });
  await store.setup();
  const end = Date.now() / 1000 + 3600;
  await ask(
    `INSERT INTO ${table} SELECT md5(n::text) || md5((n + 1)::text), 'v', 0, ${end} + n, 'text' ` +
      "FROM generate_series(1, 20000) n",
  );
  await ask(`ANALYZE ${table}`);
  await callAll(store);
  assertEquals(plans.length, 7);
  for (const [sql, plan] of plans) {
    assert(!plan.includes("Seq Scan"), `${sql}\n${plan}`);
    if (sql.startsWith("INSERT")) continue;
    const isSweep = sql.includes("LIMIT");
    assert(plan.includes(isSweep ? `${table}_expires_at` : `${table}_pkey`), `${sql}\n${plan}`);
    // Otherwise a sweep that finds nothing would walk through the whole index.
    if (isSweep) assert(plan.includes("Index Cond: (expires_at <"), plan);
  }
});

serverTest(
  postgresMissing,
  "PostgresStore does not depend on the time zone of a connection",
  async () => {
    await using rig = await openRig(anyPostgres, POSTGRES_CLIENTS["a Client of pg"]!);
    const { client, ask, table } = rig;
    const store = new PostgresStore(client, { table, sweep: false });
    await store.setup();
    const zones = ["UTC", "Pacific/Kiritimati", "Etc/GMT+12"];
    for (const zone of zones) {
      await ask(`SET TimeZone = '${zone}'`);
      await store.create(newId(), zone, write);
      await store.create(newId(), zone, { ...write, ttl: -1 });
    }
    const rows = await ask(`SELECT id, text FROM ${table} WHERE expires_at > ${Date.now() / 1000}`);
    assertEquals(rows.map(({ text }) => text).sort(), zones.toSorted());
    for (const { id } of rows) assert(await store.read(String(id)) !== undefined);
    assertEquals(await store.sweep(), zones.length);
  },
);

serverTest(postgresMissing, "PostgresStore works in a schema, under any name", async () => {
  await using rig = await openRig(anyPostgres, POSTGRES_CLIENTS[POOL]!);
  const { client, ask, table: schema } = rig;
  await ask(`CREATE SCHEMA ${schema}`);
  rig.atLast(`DROP SCHEMA ${schema} CASCADE`);
  const table = `${schema}.${"Order".padEnd(47 - schema.length, "_")}`;
  assertEquals(table.length, 48);
  const store = new PostgresStore(client, { table });
  await store.setup();
  await store.setup();
  await callAll(store);
  const [first] = await ask(`SELECT count(*) AS n FROM pg_indexes WHERE schemaname = '${schema}'`);
  assertEquals(Number(first!.n), 2);
});

serverTest(
  postgresMissing,
  "PostgresStore.setup() needs no rights where all is there",
  async () => {
    await using rig = await openRig(anyPostgres, POSTGRES_CLIENTS["a Client of pg"]!);
    const { client, ask, table } = rig;
    const role = newTable();
    await new PostgresStore(client, { table }).setup();
    await ask(`CREATE ROLE ${role}`);
    for (const sql of [`DROP ROLE ${role}`, `DROP OWNED BY ${role}`, "RESET ROLE"]) rig.atLast(sql);
    await ask(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${role}`);
    await ask(`SET ROLE ${role}`);
    const store = new PostgresStore(client, { table });
    await store.setup();
    await callAll(store);
    await assertRejects(() => new PostgresStore(client, { table: newTable() }).setup());
  },
);

serverTest(postgresMissing, "PostgresStore passes on what the server says", async () => {
  for (const connect of Object.values(POSTGRES_CLIENTS)) {
    await using rig = await openRig(anyPostgres, connect);
    const store = new PostgresStore(rig.client, { table: rig.table });
    await assertRejects(() => store.read(newId()), Error, "does not exist");
    await assertRejects(() => store.create(newId(), "", write), Error, "does not exist");
    await assertRejects(async () => await store.sweep(), Error, "does not exist");
  }
});
