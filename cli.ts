/**
 * The program: `./espalier COMMAND`, or `deno task COMMAND`.
 *
 * @module
 */
import { main } from "./cli/main.ts";
import { setProgramName } from "./cli/program_name.ts";

// A task of Deno, as the set-up script, runs in the folder of deno.json; INIT_CWD is the user's folder.
if (import.meta.main) {
  const folder = Deno.env.get("INIT_CWD");
  setProgramName({
    script: Deno.env.get("ESPALIER_PROGRAM"),
    isTask: folder !== undefined,
    url: import.meta.url.startsWith("http") ? import.meta.url : undefined,
    isCompiled: Deno.build.standalone,
  });
  Deno.exit(await main(Deno.args, folder ?? Deno.cwd()));
}
