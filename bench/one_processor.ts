/** Programs that have one processor, and not all of them, to run on. */

const PIN = ["taskset", "--cpu-list", "0"] as const;

/**
 * What to put before a program's command, where there is a way. For profiles: a processor interrupts
 * itself at once, but another one late, above all in a virtual machine and then at the next system
 * call, which looks many times as long as it is.
 */
export async function onOneProcessor(): Promise<readonly string[]> {
  try {
    const [path, ...args] = PIN;
    const { code } = await new Deno.Command(path, { args: [...args, "true"] }).output();
    return code === 0 ? PIN : [];
  } catch {
    return [];
  }
}
