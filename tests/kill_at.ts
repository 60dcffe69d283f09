// Kills a process at a moment of its work, from within, so that the moment cannot be missed: `deno run --preload`.
// A test that looks at the files from outside may come too late where the machine is busy.

/** When a process kills itself: once a path exists, or, of a log of metrics, once it has a record of a step. */
export interface Moment {
  readonly path: string;
  readonly step?: number;
}

const VARIABLE = "ESPALIER_KILL_AT";

/** Words of `deno run` before the module, and variables, by which a process ends with SIGKILL at a moment. */
export function killedAt(moment: Moment): { readonly args: string[]; readonly env: Record<string, string> } {
  return {
    args: [`--preload=${decodeURIComponent(new URL(import.meta.url).pathname)}`],
    env: { [VARIABLE]: JSON.stringify(moment) },
  };
}

function hasCome({ path, step }: Moment): boolean {
  try {
    if (step === undefined) return Deno.lstatSync(path) !== null;
    const lines = Deno.readTextFileSync(path).split("\n").slice(0, -1); // each appended in one write
    return lines.some((line) => JSON.parse(line).step >= step);
  } catch { // not yet there
    return false;
  }
}

const given = Deno.env.get(VARIABLE);
if (given) {
  const moment = JSON.parse(given) as Moment;
  const timer = setInterval(() => hasCome(moment) && Deno.kill(Deno.pid, "SIGKILL"), 1);
  Deno.unrefTimer(timer);
}
