/** A PgBouncer of a test's own, in transaction mode and without support for prepared statements. */
import { freePort, isInstalled, isListening, OwnProcess, until } from "./_processes.ts";
import type { SqlServer } from "./_sql_servers.ts";

const PROGRAM = "/usr/sbin/pgbouncer";

/** Why there is no PgBouncer. */
export const pgbouncerMissing = await isInstalled(PROGRAM)
  ? undefined
  : "there is no pgbouncer to start";

/** Starts one in front of a server, with a few connections that its clients share. */
export async function startPgbouncer(server: SqlServer): Promise<SqlServer> {
  const { hostname, port, username } = new URL(server.url);
  const folder = await Deno.makeTempDir({ prefix: "pagi-pgbouncer-" });
  const own = freePort();
  // language: off
  await Deno.writeTextFile(
    `${folder}/pgbouncer.ini`,
    `[databases]
* = host=${hostname} port=${port || 5432} user=${username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${own}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
ignore_startup_parameters = extra_float_digits
`,
  );
  // language: on
  // It refuses to run as root.
  const user = Deno.uid() === 0 ? ["-u", "postgres"] : [];
  if (user.length > 0) await Deno.chmod(folder, 0o755);
  const process = await OwnProcess.start(folder, PROGRAM, "-q", ...user, `${folder}/pgbouncer.ini`);
  await until("PgBouncer listens", () => isListening(own));
  const url = new URL(server.url);
  url.host = `127.0.0.1:${own}`;
  return {
    url: url.href,
    async [Symbol.asyncDispose]() {
      await process.end("SIGKILL");
      await Deno.remove(folder, { recursive: true });
      await server[Symbol.asyncDispose]();
    },
  };
}
