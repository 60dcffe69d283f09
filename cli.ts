/**
 * The command line: `deno task COMMAND`, or `./espalier COMMAND`.
 *
 * @module
 */
import { main } from "./cli/main.ts";

// A task runs in the folder of deno.json; INIT_CWD is where the user stood.
if (import.meta.main) Deno.exit(await main(Deno.args, Deno.env.get("INIT_CWD") ?? Deno.cwd()));
