/** Starts a server on the requested port, or reports the reason why it cannot. */

const DEFAULT_PORT = 8000;

/** Serves `handler` on PORT, 8000 by default. Exits with code 1 if that is not possible. */
export function serve(handler: (request: Request) => Response | Promise<Response>): void {
  const requested = requestedPort();
  const port = portOf(requested);
  if (port === undefined) {
    return fail(`PORT must be a number from 0 to 65535, not "${requested}". Try PORT=8001.`);
  }
  try {
    Deno.serve(
      { port, onListen: ({ port }) => console.log(`Open http://localhost:${port}/`) },
      handler,
    );
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      fail(
        `Port ${port} is in use. Stop what uses it, or choose another port: PORT=${
          otherPort(port)
        }.`,
      );
    } else if (error instanceof Deno.errors.PermissionDenied) {
      fail(`Port ${port} is not open to this user. Choose one above 1023: PORT=${DEFAULT_PORT}.`);
    } else if (error instanceof Deno.errors.NotCapable) {
      fail(`Port ${port} may not be used. Start with --allow-net, or --allow-net=:${port}.`);
    } else throw error;
  }
}

/** Parses a port. Returns undefined if `text` is not a port, and the default if it is missing. */
export function portOf(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return DEFAULT_PORT;
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port <= 65535 ? port : undefined;
}

function requestedPort(): string | undefined {
  // Without this check, reading PORT without permission would throw or prompt the user.
  const { state } = Deno.permissions.querySync({ name: "env", variable: "PORT" });
  return state === "granted" ? Deno.env.get("PORT") : undefined;
}

function otherPort(port: number): number {
  return port < 65535 ? port + 1 : DEFAULT_PORT;
}

/** Prints the message and exits with code 1. */
export function fail(message: string): void {
  console.error(message);
  Deno.exit(1);
}
