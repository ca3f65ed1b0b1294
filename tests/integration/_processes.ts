/** Servers that the tests start themselves: in folders of their own, and gone when the tests are. */

const HOST = "127.0.0.1";
const PATIENCE_MS = 60_000;
const POLL_MS = 10;

/**
 * Runs a command and a watcher. When this process ends, for whatever reason, its end of the pipe
 * closes. Then the watcher kills the command and removes its folder. The first line of the output is
 * the command's process ID.
 */
const WATCHED = `
exec 3<&0
folder=$1
shift
"$@" 3<&- >/dev/null 2>&1 &
pid=$!
echo $pid
(read -r _ <&3; kill -9 $pid; rm -rf "$folder") >/dev/null 2>&1 &
wait $pid
kill $! 2>/dev/null`;

/** A server as a process of its own. */
export class OwnProcess {
  readonly pid: number;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
  }

  /** Starts a command that keeps its files in `folder`; its output is thrown away. */
  static async start(folder: string, command: string, ...args: string[]): Promise<OwnProcess> {
    const child = new Deno.Command("sh", {
      args: ["-c", WATCHED, "sh", folder, command, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    return new OwnProcess(child, Number(await firstLine(child.stdout)));
  }

  /** Sends a signal and waits for the end. */
  async end(signal: Deno.Signal): Promise<void> {
    Deno.kill(this.pid, signal);
    await this.#child.status;
    await this.#child.stdin.close().catch(() => {});
  }
}

/** The first line that a process says; the rest is thrown away. */
export async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`The process ended before it was ready, having said "${said}"`);
    said += value;
  }
  const drain = async () => {
    while (!(await reader.read()).done);
  };
  drain().catch(() => {});
  return said.slice(0, said.indexOf("\n"));
}

/** A port that nobody listens at. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: HOST, port: 0 });
  return listener.addr.port;
}

/** Whether somebody listens at a port. */
export async function isListening(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: HOST, port })).close();
    return true;
  } catch {
    return false;
  }
}

/** Whether a program can be started; for what says its version. */
export async function isInstalled(command: string): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}

/** Waits until `holds` resolves to true. */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!await holds()) {
    if (Date.now() > deadline) throw new Error(`Waited in vain: ${what}`);
    await delay(POLL_MS);
  }
}

/** Lets time pass. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
