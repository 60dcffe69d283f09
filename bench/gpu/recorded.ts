/**
 * What records there are: those of the parts of `bench:gpu`, and of the studies of `bench`.
 *
 * @module
 */

import type { Part } from "./part.ts";
import { PARTS } from "./parts.ts";

/** Names and modules. */
export const RECORDED: readonly Pick<Part, "name" | "module">[] = [...PARTS];
