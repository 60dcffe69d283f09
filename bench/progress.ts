/**
 * Progress of a benchmark.
 *
 * @module
 */

/** Progress on standard error: updated in place on a terminal, else one line per message. */
export function progress(message: string): void {
  if (Deno.stderr.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${message}`));
  else if (message !== "") console.error(message);
}
