/** The databases that the tests run against: those that are up, or ones that they start themselves. */
import { MYSQL_CLIENTS, POSTGRES_CLIENTS } from "./_sql_clients.ts";
import { freePort, isInstalled, OwnProcess, until } from "./_processes.ts";

/** A server, by its address. */
export interface SqlServer extends AsyncDisposable {
  url: string;
}

/** Where the servers are that are up, with a database that the tests may use. */
const POSTGRES_URL = Deno.env.get("POSTGRES_URL") ?? "postgres://root@127.0.0.1:5432/test";
const MYSQL_URL = Deno.env.get("MYSQL_URL") ?? "mysql://root@127.0.0.1:3306/test";

const isRoot = Deno.uid() === 0;

const postgresFolder = await binaries();
const isPostgresUp = await answers(() => askPostgres(POSTGRES_URL));
const isMysqlUp = await answers(() => askMysql(MYSQL_URL));

/** Why there is no PostgreSQL that a test can start itself. */
export const ownPostgresMissing = postgresFolder === undefined
  ? "there is no PostgreSQL to start"
  : undefined;
/** Why there is no PostgreSQL at all. */
export const postgresMissing = isPostgresUp ? undefined : ownPostgresMissing;
/** Why there is no MariaDB that a test can start itself. */
export const ownMariadbMissing = await isInstalled("mariadbd")
  ? undefined
  : "nobody answers at MYSQL_URL, and there is no mariadbd to start";
/** Why there is no MySQL or MariaDB at all. */
export const mysqlMissing = isMysqlUp ? undefined : ownMariadbMissing;

/** The PostgreSQL that is up, or one of our own. */
export async function anyPostgres(): Promise<SqlServer> {
  return isPostgresUp ? notOurs(POSTGRES_URL) : await OwnPostgres.start();
}

/** The MySQL or MariaDB that is up, or one of our own. */
export async function anyMysql(): Promise<SqlServer> {
  return isMysqlUp ? notOurs(MYSQL_URL) : await OwnMariadb.start();
}

function notOurs(url: string): SqlServer {
  return { url, [Symbol.asyncDispose]: () => Promise.resolve() };
}

async function askPostgres(url: string, sql?: string): Promise<void> {
  const { ask, close } = await POSTGRES_CLIENTS["a Client of pg"]!(url);
  if (sql !== undefined) await ask(sql);
  await close();
}

async function askMysql(url: string): Promise<void> {
  const { close } = await MYSQL_CLIENTS["a connection of mysql2"]!(url);
  await close();
}

async function answers(ask: () => Promise<void>): Promise<boolean> {
  try {
    await ask();
    return true;
  } catch {
    return false;
  }
}

/** Runs a command to its end. */
async function run(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (!success) throw new Error(`${command} failed: ${text(stderr)}`);
  return text(stdout);
}

/** Where PostgreSQL's programs are; Debian keeps them out of the PATH. */
async function binaries(): Promise<string | undefined> {
  if (await isInstalled("postgres")) return "";
  try {
    const found = await run("sh", "-c", "ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1");
    return found === "" ? undefined : `${found}/`;
  } catch {
    return undefined;
  }
}

/** A PostgreSQL of a test's own, in a temporary folder. It will not run as root. */
export class OwnPostgres implements SqlServer {
  readonly url: string;
  readonly #port: number;
  readonly #folder: string;
  #process: OwnProcess | undefined;

  private constructor(port: number, folder: string) {
    this.url = `postgres://tester@127.0.0.1:${port}/postgres`;
    this.#port = port;
    this.#folder = folder;
  }

  /** Starts one. */
  static async start(): Promise<OwnPostgres> {
    const folder = await Deno.makeTempDir({ prefix: "pagi-postgres-" });
    if (isRoot) await run("chown", "postgres", folder);
    const postgres = new OwnPostgres(freePort(), folder);
    const auth = ["--auth=trust", "--username=tester", "--encoding=UTF8", "--locale=C"];
    const [command, ...args] = postgres.#command("initdb");
    await run(command!, ...args, ...auth, "--no-sync");
    await postgres.start();
    return postgres;
  }

  /** Starts a standby of another, which acknowledges only what the standby has, too. */
  static async startStandby(primary: OwnPostgres): Promise<OwnPostgres> {
    const folder = await Deno.makeTempDir({ prefix: "pagi-postgres-" });
    if (isRoot) await run("chown", "postgres", folder);
    const standby = new OwnPostgres(freePort(), folder);
    const [command, ...args] = standby.#command("pg_basebackup");
    const source = ["-h", "127.0.0.1", "-p", String(primary.#port), "-U", "tester"];
    await run(command!, ...args, ...source, "--write-recovery-conf", "--checkpoint=fast");
    await standby.start();
    await askPostgres(primary.url, "ALTER SYSTEM SET synchronous_standby_names = '*'");
    await askPostgres(primary.url, "SELECT pg_reload_conf()");
    return standby;
  }

  /** Makes a standby the primary. */
  async promote(): Promise<void> {
    await askPostgres(this.url, "SELECT pg_promote()");
  }

  /** Starts it again, on the same port and with what it has on disk. */
  async start(): Promise<void> {
    const options = ["-k", this.#folder, "-h", "127.0.0.1", "-p", String(this.#port)];
    const [command, ...args] = this.#command("postgres");
    this.#process = await OwnProcess.start(this.#folder, command!, ...args, ...options);
    await until("PostgreSQL answers", () => answers(() => askPostgres(this.url)));
  }

  /** Ends it: SIGINT has it close its connections, SIGQUIT is a crash. */
  async stop(signal: "SIGINT" | "SIGQUIT"): Promise<void> {
    await this.#process?.end(signal);
    this.#process = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGQUIT");
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** A program on its data. `setpriv` becomes the program, so a signal reaches it. */
  #command(program: string): string[] {
    const user = ["--reuid=postgres", "--regid=postgres", "--init-groups"];
    const prefix = isRoot ? ["setpriv", ...user] : [];
    return [...prefix, `${postgresFolder}${program}`, "-D", `${this.#folder}/data`];
  }
}

/** A MariaDB of a test's own, in a temporary folder. */
export class OwnMariadb implements SqlServer {
  readonly url: string;
  readonly #folder: string;
  readonly #options: string[];
  #process: OwnProcess | undefined;

  private constructor(port: number, folder: string) {
    this.url = `mysql://root@127.0.0.1:${port}/test`;
    this.#folder = folder;
    const data = [`--datadir=${folder}/data`, ...(isRoot ? ["--user=root"] : [])];
    const address = [`--port=${port}`, "--bind-address=127.0.0.1", `--socket=${folder}/socket`];
    this.#options = ["--no-defaults", ...data, ...address];
  }

  /** Starts one. */
  static async start(): Promise<OwnMariadb> {
    const folder = await Deno.makeTempDir({ prefix: "pagi-mariadb-" });
    const mariadb = new OwnMariadb(freePort(), folder);
    const root = "--auth-root-authentication-method=normal";
    await run("mariadb-install-db", ...mariadb.#options, root, "--skip-name-resolve");
    await mariadb.start();
    return mariadb;
  }

  /** Starts it again, on the same port and with what it has on disk. */
  async start(): Promise<void> {
    this.#process = await OwnProcess.start(this.#folder, "mariadbd", ...this.#options);
    await until("MariaDB answers", () => answers(() => askMysql(this.url)));
  }

  /** Ends it; SIGKILL is a crash. */
  async stop(signal: Deno.Signal): Promise<void> {
    await this.#process?.end(signal);
    this.#process = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
    await Deno.remove(this.#folder, { recursive: true });
  }
}
