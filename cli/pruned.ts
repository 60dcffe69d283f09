// What `inspect` prints of espalier.json: targets and achieved shares, earlier prunings, and a chart of the kept units.

import type { ModelConfig } from "../model/config.ts";
import { unitCounts } from "../model/costs.ts";
import { type Quantity, UnitCost } from "../prune/cost.ts";
import { UNIT_KINDS, unitGroups, type UnitKind } from "../prune/groups.ts";
import type { AchievedCost, PruneRecord, PruneStep } from "../prune/record.ts";

/** Cells of a group's bar. */
const CELLS = 48;

const RATE = 16000;

const NOUNS: Record<Quantity, string> = {
  parameters: "parameters",
  conv: "the convolutions' parameters",
  transformer: "the Transformer's parameters",
  macs: "MACs",
};

/** The kinds of units that reduce a cost. */
const KINDS: Record<Quantity, readonly UnitKind[]> = {
  parameters: UNIT_KINDS,
  conv: ["conv"],
  transformer: ["heads", "ffn"],
  macs: UNIT_KINDS,
};

/**
 * How a compact model was pruned: a line for each constraint, one for the origin, one for each earlier pruning.
 *
 * @param record Its `espalier.json`.
 * @param config Its architecture.
 */
export function pruningLines(record: PruneRecord, config: ModelConfig): string[] {
  const { method, constraints, earlier } = record;
  const widths = record.round_to > 1 ? `, widths in multiples of ${record.round_to}` : "";
  return [
    ...constraints.map((constraint) => {
      return `pruned by ${plain(method)}: ${outcome(constraint)}${miss(constraint, record, config)}`;
    }),
    `pruned from ${origin(record)}${widths}`,
    ...earlier.map((step) => {
      return `earlier by ${plain(step.method)} from ${origin(step)}: ${
        step.constraints.map(outcome).join("; ")
      }`;
    }),
  ];
}

/**
 * The kept units of the unpruned model, a bar for each group.
 *
 * @param record The model's `espalier.json`.
 * @param config Its architecture.
 */
export function picture({ units }: PruneRecord, config: ModelConfig): string[] {
  const counts = unitCounts(config);
  const rows = UNIT_KINDS.flatMap((kind) =>
    counts[kind].map((count, layer) => {
      const { of, kept } = units[`${kind}.${layer}`] ??
        { of: count, kept: Array.from({ length: count }, (_, i) => i) };
      return [`${kind}.${layer}`, whole(kept.length), whole(of), bar(kept, of)] as const;
    })
  );
  const [name, kept, of] = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return [
    "units kept in each group, in order: █ all of a range, ▓ ▒ ░ some, blank none",
    ...rows.map((row) => {
      return `${row[0].padEnd(name!)}  ${row[1].padStart(kept!)} of ${row[2].padStart(of!)}  │${row[3]}│`;
    }),
  ];
}

/** Units as shades: a cell is a range of the group, and is blank or full only where the range is. */
export function bar(kept: readonly number[], of: number): string {
  // Lengths in 1/CELLS of a unit: a unit has CELLS of them, a cell `of`, so that the sums are whole.
  const filled = new Array<number>(CELLS).fill(0);
  for (const unit of kept) {
    const [from, to] = [unit * CELLS, (unit + 1) * CELLS];
    for (let cell = Math.floor(from / of); cell * of < to; cell++) {
      filled[cell]! += Math.min(to, (cell + 1) * of) - Math.max(from, cell * of);
    }
  }
  return filled.map((sum) => sum === 0 ? " " : sum === of ? "█" : "░▒▓"[Math.floor(3 * sum / of)]).join("");
}

function origin({ base_model, version }: PruneStep): string {
  return `${plain(base_model)} with Espalier ${plain(version)}`;
}

/** Target and achieved share of a constraint, and the remaining cost. */
function outcome({ quantity, samples, target_removed, removed, cost, base_cost }: AchievedCost): string {
  const length = quantity === "macs" ? ` at ${Number((samples / RATE).toFixed(3))} s` : "";
  const left = `${whole(cost)} of ${whole(base_cost)} kept${length}`;
  return `target ${percent(target_removed, 1)} of ${NOUNS[quantity]} removed, achieved ${
    percent(removed, 2)
  } (${left})`;
}

/** Distance of a cost from its target, in units: whole units seldom meet the target exactly. */
function miss(
  { quantity, samples, target_removed, cost, base_cost }: AchievedCost,
  { units }: PruneRecord,
  config: ModelConfig,
): string {
  const groups = unitGroups(config, KINDS[quantity]).filter(({ name }) => Object.hasOwn(units, name));
  const slopes = new UnitCost(config, quantity, samples).slopes(groups, unitCounts(config)).filter((slope) =>
    slope > 0
  );
  if (slopes.length === 0) return "";
  const over = (cost - (1 - target_removed) * base_cost) / Math.min(...slopes);
  const times = Math.abs(over).toFixed(2);
  if (times === "0.00") return ", on the target";
  return `, ${times} times the cheapest unit's cost ${over > 0 ? "above" : "below"} the target`;
}

/** A text of the file without control characters. */
function plain(text: string): string {
  return text.replace(/\p{C}+/gu, " ");
}

function percent(share: number, digits: number): string {
  return `${(100 * share).toFixed(digits)} %`;
}

function whole(n: number): string {
  return n.toLocaleString("en");
}
