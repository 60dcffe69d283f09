/**
 * The tables of records, by what was measured: of the parts of `bench:gpu`, and of the studies of `bench`.
 *
 * @module
 */

import type { TitledTable } from "../record.ts";
import { STUDIES, type Study } from "../studies.ts";
import { loadPart } from "./part.ts";
import { PARTS } from "./parts.ts";

/** The tables of a result; null if nothing of that name is measured. */
export async function tablesOf(name: string, result: unknown): Promise<TitledTable[] | null> {
  const part = PARTS.find((part) => part.name === name);
  if (part) return (await loadPart(part)).tables(result);
  if (!Object.hasOwn(STUDIES, name)) return null;
  const { page, tables } = (STUDIES as unknown as Record<string, Study<unknown>>)[name]!;
  return (page ?? tables)(result);
}
