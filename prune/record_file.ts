import { JsonFields } from "../model/checkpoint/json_fields.ts";
import { RECORD_FILE } from "../model/inference/model_files.ts";
import type { Quantity } from "./cost.ts";
import { UNIT_KINDS } from "./groups.ts";
import type { PruneRecord, PruneStep, RecordedUnits } from "./record.ts";

const QUANTITIES: readonly Quantity[] = ["parameters", "conv", "transformer", "macs"];

/** Encodes `espalier.json`, each list of units on one line. @param record Record. */
export function encodePruneRecord(record: PruneRecord): string {
  const text = JSON.stringify(record, null, 2);
  return text.replace(/\[[\d,\s]*\]/g, (list) => list.replace(/\s+/g, "").replaceAll(",", ", ")) + "\n";
}

/**
 * Parses `espalier.json`.
 *
 * @param text Content of the file.
 * @param name Name of the file for error messages.
 * @throws {SyntaxError} If it is not a JSON object; one line.
 * @throws {TypeError | RangeError} If a field has a wrong type or value; one line.
 *
 * @example
 * ```ts ignore
 * import { parsePruneRecord } from "./record_file.ts";
 *
 * const { method, constraints } = parsePruneRecord(await Deno.readTextFile("pruned/espalier.json"));
 * ```
 */
export function parsePruneRecord(text: string, name: string = RECORD_FILE): PruneRecord {
  const fields = new JsonFields(text, name);
  const units: Record<string, RecordedUnits> = {};
  for (const [group, value] of Object.entries(objectOf(fields, "units"))) {
    if (!new RegExp(`^(${UNIT_KINDS.join("|")})\\.\\d+$`).test(group)) {
      fields.refuse("units", "must name groups such as conv.0", `it names ${JSON.stringify(group)}`);
    }
    const inner = new JsonFields(JSON.stringify(value), `${name}, units ${group}`);
    const of = inner.whole("of");
    const kept = inner.wholes("kept", undefined, { least: 0, most: of - 1 });
    if (kept.some((index, i) => i > 0 && index <= kept[i - 1]!)) {
      inner.refuse("kept", "must rise", "it does not");
    }
    units[group] = { of, kept };
  }
  const earlier = listOf(fields, "earlier").map((step, i) => {
    return readStep(new JsonFields(JSON.stringify(step), `${name}, earlier ${i}`), `${name}, earlier ${i}`);
  });
  return { ...readStep(fields, name), units, earlier };
}

function readStep(fields: JsonFields, name: string): PruneStep {
  const share = { least: 0, most: 1 };
  const cost = { least: 0, most: Number.MAX_SAFE_INTEGER };
  return {
    version: stringOf(fields, "version"),
    base_model: stringOf(fields, "base_model"),
    method: stringOf(fields, "method"),
    round_to: fields.whole("round_to"),
    constraints: listOf(fields, "constraints").map((value, i) => {
      const inner = new JsonFields(JSON.stringify(value), `${name}, constraints ${i}`);
      return {
        quantity: inner.word("quantity", QUANTITIES),
        samples: inner.number("samples", undefined, cost),
        target_removed: inner.number("target_removed", undefined, share),
        removed: inner.number("removed", undefined, { least: -1, most: 1 }),
        cost: inner.number("cost", undefined, cost),
        base_cost: inner.number("base_cost", undefined, cost),
      };
    }),
  };
}

function stringOf(fields: JsonFields, key: string): string {
  const value = fields.raw[key];
  return typeof value === "string" ? value : fields.fail(key, "must be a string");
}

function listOf(fields: JsonFields, key: string): unknown[] {
  const value = fields.raw[key];
  return Array.isArray(value) ? value : fields.fail(key, "must be a list");
}

function objectOf(fields: JsonFields, key: string): Record<string, unknown> {
  const value = fields.raw[key];
  const fits = typeof value === "object" && value !== null && !Array.isArray(value);
  return fits ? value as Record<string, unknown> : fields.fail(key, "must be an object");
}
