/**
 * The tables of records, by what was measured: of the parts of `bench:gpu`, and of the studies of `bench`.
 *
 * @module
 */

import type { TitledTable } from "../record.ts";
import { STUDIES } from "../studies.ts";
import { loadPart } from "./part.ts";
import { PARTS } from "./parts.ts";

/** The tables of a result; null if nothing of that name is measured. */
export async function tablesOf(name: string, result: unknown): Promise<TitledTable[] | null> {
  const part = PARTS.find((part) => part.name === name);
  if (part) return (await loadPart(part)).tables(result);
  const studies = STUDIES as unknown as Record<string, { tables(result: unknown): TitledTable[] }>;
  return Object.hasOwn(studies, name) ? studies[name]!.tables(result) : null;
}
