/**
 * A stand-in for the one function of `@std/cli` the command line uses, with the same signature, for
 * machines that reach npm but not JSR. `deno.json` links it under that name.
 *
 * @module
 */
export { type Args, parseArgs, type ParseOptions } from "./parse_args.ts";
