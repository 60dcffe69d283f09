// espalier.json, which stands beside a compact model: how it was made, from what, and which units it kept.

import { Fields } from "../model/fields.ts";
import { type Choice, keptCounts } from "./choose.ts";
import type { Constraint } from "./constraints.ts";
import type { Quantity } from "./cost.ts";
import { UNIT_KINDS, unitGroups } from "./groups.ts";

/** Name of the file in a model folder. */
export const RECORD_FILE = "espalier.json";

const QUANTITIES: readonly Quantity[] = ["parameters", "conv", "transformer", "macs"];

/** What became of a constraint. */
export interface AchievedCost {
  /** What was counted. */
  readonly quantity: Quantity;
  /** Samples of the clip that MACs were counted for. */
  readonly samples: number;
  /** Share that was to be removed. */
  readonly target_removed: number;
  /** Share that was removed. */
  readonly removed: number;
  /** Cost of the compact model. */
  readonly cost: number;
  /** Cost of the model that was pruned. */
  readonly base_cost: number;
}

/** One pruning of a model. */
export interface PruneStep {
  /** Version of this program. */
  readonly version: string;
  /** Path or name of the model that was pruned. */
  readonly base_model: string;
  /** `size`, `sep-size`, `mac`, `uniform`, `transformer-only`. */
  readonly method: string;
  /** Number that widths were rounded to. */
  readonly round_to: number;
  /** One per constraint. */
  readonly constraints: readonly AchievedCost[];
}

/** Units that are left of a group. */
export interface RecordedUnits {
  /** Units the group had before it was ever pruned. */
  readonly of: number;
  /** Numbers of those that are left, among them. */
  readonly kept: readonly number[];
}

/** Content of `espalier.json`: the last pruning, the units left of the unpruned model, and earlier prunings. */
export interface PruneRecord extends PruneStep {
  /** By group; a group that is not named is whole. */
  readonly units: Readonly<Record<string, RecordedUnits>>;
  /** Prunings before this one, oldest first. */
  readonly earlier: readonly PruneStep[];
}

/** What {@linkcode pruneRecord} describes. */
export interface PruneRecordOptions extends Omit<PruneStep, "constraints"> {
  /** What was to be brought to which target, of the model that was pruned. */
  readonly constraints: readonly Constraint[];
  /** Units that were kept. */
  readonly choice: Choice;
  /** Record of the model that was pruned, if it was compact already. */
  readonly before?: PruneRecord | null;
}

/**
 * Describes a pruning.
 *
 * @throws {RangeError} If the earlier record is of another model.
 *
 * @example
 * ```ts
 * import { parseConfig } from "../model/config.ts";
 * import { constraintsOf } from "./constraints.ts";
 * import { pruneRecord } from "./record.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/tiny-base.json"));
 * const constraints = constraintsOf(config, { method: "mac", target: 0.01, kinds: ["heads"] });
 * const choice = new Map([["heads.0", { indices: [0, 1, 3], gates: [1, 1, 1] }]]);
 * const options = { version: "0.1.0", base_model: "tiny", method: "mac", round_to: 1 };
 * pruneRecord({ ...options, constraints, choice }).units; // { "heads.0": { of: 4, kept: [0, 1, 3] } }
 * ```
 */
export function pruneRecord(options: PruneRecordOptions): PruneRecord {
  const { version, base_model, method, round_to, constraints, choice, before = null } = options;
  const units: Record<string, RecordedUnits> = { ...before?.units };
  for (const { cost: { config } } of constraints.slice(0, 1)) {
    for (const { name, units: count } of unitGroups(config)) {
      const chosen = choice.get(name);
      const had = before?.units[name];
      if (had && had.kept.length !== count) {
        throw new RangeError(
          `Cannot go on from ${RECORD_FILE} as it must be of the model: ${name} has ${count} units, not ${had.kept.length}`,
        );
      }
      if (!chosen) continue;
      const kept = chosen.indices.map((i) => had?.kept[i] ?? i);
      units[name] = { of: had?.of ?? count, kept };
    }
  }
  const achieved = constraints.map(({ cost, target }): AchievedCost => {
    const kept = keptCounts(cost.config, choice);
    return {
      quantity: cost.quantity,
      samples: cost.samples,
      target_removed: target,
      removed: cost.removed(kept),
      cost: cost.of(kept),
      base_cost: cost.dense,
    };
  });
  return {
    version,
    base_model,
    method,
    round_to,
    constraints: achieved,
    units,
    earlier: before ? [...before.earlier, stepOf(before)] : [],
  };
}

function stepOf({ version, base_model, method, round_to, constraints }: PruneStep): PruneStep {
  return { version, base_model, method, round_to, constraints };
}

/** Writes `espalier.json`, lists of units in one line each. @param record What to write. */
export function encodePruneRecord(record: PruneRecord): string {
  const text = JSON.stringify(record, null, 2);
  return text.replace(/\[[\d,\s]*\]/g, (list) => list.replace(/\s+/g, "").replaceAll(",", ", ")) + "\n";
}

/**
 * Reads `espalier.json`.
 *
 * @param text Content of the file.
 * @param name What to call it in errors.
 * @throws {SyntaxError} If it is no JSON object; `TypeError` and `RangeError` if a field is not what it must be: one line.
 *
 * @example
 * ```ts ignore
 * import { parsePruneRecord } from "./record.ts";
 *
 * const { method, constraints } = parsePruneRecord(await Deno.readTextFile("pruned/espalier.json"));
 * ```
 */
export function parsePruneRecord(text: string, name: string = RECORD_FILE): PruneRecord {
  const fields = new Fields(text, name);
  const units: Record<string, RecordedUnits> = {};
  for (const [group, value] of Object.entries(objectOf(fields, "units"))) {
    if (!new RegExp(`^(${UNIT_KINDS.join("|")})\\.\\d+$`).test(group)) {
      fields.refuse("units", "must name groups such as conv.0", `it names ${JSON.stringify(group)}`);
    }
    const inner = new Fields(JSON.stringify(value), `${name}, units ${group}`);
    const of = inner.whole("of");
    const kept = inner.wholes("kept", undefined, { least: 0, most: of - 1 });
    if (kept.some((index, i) => i > 0 && index <= kept[i - 1]!)) {
      inner.refuse("kept", "must rise", "it does not");
    }
    units[group] = { of, kept };
  }
  const earlier = listOf(fields, "earlier").map((step, i) => {
    return readStep(new Fields(JSON.stringify(step), `${name}, earlier ${i}`), `${name}, earlier ${i}`);
  });
  return { ...readStep(fields, name), units, earlier };
}

function readStep(fields: Fields, name: string): PruneStep {
  const share = { least: 0, most: 1 };
  const cost = { least: 0, most: Number.MAX_SAFE_INTEGER };
  return {
    version: stringOf(fields, "version"),
    base_model: stringOf(fields, "base_model"),
    method: stringOf(fields, "method"),
    round_to: fields.whole("round_to"),
    constraints: listOf(fields, "constraints").map((value, i) => {
      const inner = new Fields(JSON.stringify(value), `${name}, constraints ${i}`);
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

function stringOf(fields: Fields, key: string): string {
  const value = fields.raw[key];
  return typeof value === "string" ? value : fields.fail(key, "must be a string");
}

function listOf(fields: Fields, key: string): unknown[] {
  const value = fields.raw[key];
  return Array.isArray(value) ? value : fields.fail(key, "must be a list");
}

function objectOf(fields: Fields, key: string): Record<string, unknown> {
  const value = fields.raw[key];
  const fits = typeof value === "object" && value !== null && !Array.isArray(value);
  return fits ? value as Record<string, unknown> : fields.fail(key, "must be an object");
}
