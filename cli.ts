/**
 * The program: `./espalier COMMAND`, or `deno task COMMAND`.
 *
 * @module
 */
import { main } from "./cli/main.ts";

// A task of Deno runs in the folder of deno.json; INIT_CWD is the user's folder.
if (import.meta.main) Deno.exit(await main(Deno.args, Deno.env.get("INIT_CWD") ?? Deno.cwd()));
