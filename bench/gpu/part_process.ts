/**
 * The process of a part: measures and writes the record.
 *
 * @module
 */

import { type BenchRecord, writeRecord } from "../record.ts";
import { loadPart, type Part, type PartRequest } from "./part.ts";

/** Argument of the process. */
export interface ProcessRequest extends PartRequest {
  readonly part: Part;
  /** Folder of the records. */
  readonly out: string;
  /** What the record has besides the result. */
  readonly origin: Pick<BenchRecord, "date" | "commit" | "runtime" | "command">;
}

async function main({ part, out, origin, ...request }: ProcessRequest): Promise<void> {
  const start = performance.now();
  const { measure, adapter } = await loadPart(part);
  const save = (result: unknown, error: string | null) =>
    writeRecord(out, {
      part: part.name,
      ...origin,
      adapter: adapter(result),
      quick: request.quick,
      seconds: Math.round((performance.now() - start) / 100) / 10,
      error,
      result,
    });
  await save(await measure(request, (result) => save(result, "it did not end")), null);
}

await main(JSON.parse(Deno.args[0]!));
Deno.exit(0); // a device that is open would keep it alive
