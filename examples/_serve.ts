/** Starting a server on the port asked for, or saying in one line why not. */

const DEFAULT_PORT = 8000;

/** Serves `handler` on PORT, or 8000. Ends the process with code 1 when that cannot be. */
export function serve(handler: (request: Request) => Response | Promise<Response>): void {
  const asked = askedPort();
  const port = portOf(asked);
  if (port === undefined) {
    return fail(`PORT must be a number from 0 to 65535, not "${asked}". Try PORT=8001.`);
  }
  try {
    Deno.serve(
      { port, onListen: ({ port }) => console.log(`Open http://localhost:${port}/`) },
      handler,
    );
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      fail(
        `Port ${port} is in use. Stop what uses it, or choose another port: PORT=${other(port)}.`,
      );
    } else if (error instanceof Deno.errors.PermissionDenied) {
      fail(`Port ${port} is not open to this user. Choose one above 1023: PORT=${DEFAULT_PORT}.`);
    } else if (error instanceof Deno.errors.NotCapable) {
      fail(`Port ${port} may not be used. Start with --allow-net, or --allow-net=:${port}.`);
    } else throw error;
  }
}

/** The port that `text` names; undefined when it names none. */
export function portOf(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return DEFAULT_PORT;
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port <= 65535 ? port : undefined;
}

function askedPort(): string | undefined {
  // Asked for first: reading what may not be read would throw, or ask the person.
  const { state } = Deno.permissions.querySync({ name: "env", variable: "PORT" });
  return state === "granted" ? Deno.env.get("PORT") : undefined;
}

function other(port: number): number {
  return port < 65535 ? port + 1 : DEFAULT_PORT;
}

/** Says in one line why not, and ends the process with code 1. */
export function fail(message: string): void {
  console.error(message);
  Deno.exit(1);
}
