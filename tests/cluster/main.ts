// Data-parallel training in jobs of several processes on this machine. The last line is `N passed, N failed`; the status is 0 if
// nothing failed, 2 if there is no MPI. With `--check` it only looks for MPI, or installs it. Arguments are parts of names.
import { withCorpus } from "../train/tone_corpus.ts";
import { testLibrary } from "./library_tests.ts";
import { findMpi } from "./mpi.ts";
import { testOpenMpi } from "./open_mpi_tests.ts";
import type { Tests } from "./runs.ts";
import { installSlurm } from "./slurm.ts";
import { testBatchScripts } from "./slurm_tests.ts";

async function main(): Promise<number> {
  const found = await findMpi();
  if (found.length === 0) {
    console.error("Cannot test jobs: there is no MPI on this machine: install Debian's openmpi-bin or mpich");
    return 2;
  }
  if (Deno.args.includes("--check")) {
    await installSlurm();
    return 0;
  }
  const tests: Tests = new Map();
  for (const mpi of found) testLibrary(mpi, tests);
  const named = (name: string) => found.find((mpi) => mpi.name === name);
  const [openMpi, mpich] = [named("Open MPI"), named("MPICH")];
  if (openMpi) testOpenMpi(openMpi, tests);
  if (mpich) testBatchScripts(mpich, tests);
  let [passed, failed] = [0, 0];
  for (const [name, test] of tests) {
    if (Deno.args.length > 0 && !Deno.args.some((part) => name.includes(part))) continue;
    const begin = performance.now();
    let error: unknown = null;
    await withCorpus(test).catch((thrown) => error = thrown);
    if (error) failed++;
    else passed++;
    console.log(
      `${name} ... ${error ? "FAILED" : "ok"} (${((performance.now() - begin) / 1000).toFixed(1)} s)`,
    );
    if (error) console.log(error);
  }
  console.log(`${passed} passed, ${failed} failed`);
  return passed > 0 && failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
