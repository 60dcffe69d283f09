import { LockedError } from "../files/lock.ts";
import { EARLY_FILES } from "../prune/run/library_run.ts";
import { isFreeForRun } from "../train/run_folder.ts";
import { claimOutput } from "./long_run.ts";
import { UserError } from "./user_error.ts";

/**
 * The folder of a run of `prune` without `--out`: the first of pruned, pruned-2, … that does not exist, or has no more than
 * what a run left that was killed before there was anything to resume. To resume, the last one that exists.
 *
 * @param base path of the first one
 */
export async function defaultOut(
  base: string,
  { resume, dry }: { resume: boolean; dry: boolean },
): Promise<string> {
  let last = base;
  for (let n = 1;; n++) {
    const path = n === 1 ? base : `${base}-${n}`;
    if (!await Deno.lstat(path).then(() => true, () => false)) return resume ? last : path;
    if (!resume && !dry && await isUnused(path)) return path;
    last = path;
  }
}

/** Whether no other process has the folder, and no run is in it. */
async function isUnused(path: string): Promise<boolean> {
  try {
    using _claim = await claimOutput("prune", path);
    return await isFreeForRun(path, EARLY_FILES);
  } catch (error) {
    if (error instanceof LockedError || error instanceof UserError) return false;
    throw error;
  }
}
