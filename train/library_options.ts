/** Name of the options of a program's run among those that are saved with a run. */
export const LIBRARY = "library";

/**
 * Refuses to resume a run with other options than it was begun with.
 *
 * @param out Folder of the run, for the message.
 * @param saved What was saved with the run.
 * @param given The options that are given now.
 * @throws {Error} If they differ, or the command line began the run.
 */
export function checkSameOptions(
  out: string,
  saved: unknown,
  given: Readonly<Record<string, unknown>>,
): void {
  const before = (saved as Record<string, unknown> | undefined)?.[LIBRARY] as typeof given | undefined;
  if (before === undefined) {
    throw new Error(`Cannot resume ${out} as a program must have begun it: it is a run of the command line`);
  }
  for (const name of new Set([...Object.keys(before), ...Object.keys(given)])) {
    const [was, is] = [before[name], given[name]].map((value) => JSON.stringify(value) ?? "not given");
    if (was !== is) throw new Error(`Cannot resume ${out} as ${name} must be as it was: ${was}`);
  }
}
