/**
 * Runs a module of the benchmark in a process of its own.
 *
 * @module
 */

/**
 * Runs a module with a request as its argument and returns what it prints.
 *
 * @param module File in this folder.
 * @param request The argument, as JSON.
 * @param root Checkout whose settings apply.
 * @throws {Error} The process failed; the message has the end of its standard error.
 */
export async function runJson<T>(module: string, request: unknown, root: string): Promise<T> {
  const script = new URL(module, import.meta.url).href;
  const args = ["run", "-A", "--no-check", `--config=${root}/deno.json`, script, JSON.stringify(request)];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${module} failed: ${decoder.decode(stderr).trim().slice(-1000)}`);
  return JSON.parse(decoder.decode(stdout)) as T;
}
