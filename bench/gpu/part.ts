/**
 * A part of `bench:gpu`: one measurement, in a process of its own.
 *
 * @module
 */

import type { TitledTable } from "../record.ts";

/** What a part is asked to do. */
export interface PartRequest {
  /** Whether to take tiny shapes, to see that everything works. */
  readonly quick: boolean;
  /** Seconds until the process is ended. */
  readonly seconds: number;
}

/** The module of a part. */
export interface PartModule<T = unknown> {
  /**
   * Measures.
   *
   * @param request What to do.
   * @param save Writes what has been measured so far to the record, for the case that the rest fails.
   */
  measure(request: PartRequest, save: (result: T) => Promise<void>): Promise<T>;
  /** Name of the adapter that it measured. */
  adapter(result: T): string;
  /** The result in one line. */
  summary(result: T): string;
  /** The result as tables. */
  tables(result: T): TitledTable[];
}

/** A part, as the list of parts has it. */
export interface Part {
  readonly name: string;
  /** What it measures. */
  readonly about: string;
  /** Most seconds that it may take. */
  readonly seconds: number;
  /** URL of its module. */
  readonly module: string;
}

/** Loads the module of a part. */
export async function loadPart({ module }: Pick<Part, "module">): Promise<PartModule> {
  return await import(module) as PartModule;
}
