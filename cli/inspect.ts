import { type Checkpoint, readCheckpoint } from "../model/checkpoint/read.ts";
import type { ModelConfig } from "../model/config.ts";
import { convFrames, type Cost, type CostRow, costsOf, headCost } from "../model/costs.ts";
import { printable } from "../files/printable.ts";
import { MASK_EMBEDDING } from "../model/parameter_specs.ts";
import { smallFilesFolder } from "../model/checkpoint/weight_files.ts";
import { readFileIfExists } from "../files/atomic_file.ts";
import { checkRecordedUnits, type PruneRecord } from "../prune/record.ts";
import { RECORD_FILE } from "../model/inference/model_files.ts";
import { parsePruneRecord } from "../prune/record_file.ts";
import { defineCommand } from "./command.ts";
import { onFiles } from "./files.ts";
import { folderOf, langOption, languageOf, type ModelChoice, revisionOption } from "./model_option.ts";
import { MOST_SECONDS } from "./options.ts";
import { print } from "./print.ts";
import { picture, pruningLines } from "./pruned.ts";
import { UserError } from "./user_error.ts";

/** What `inspect --json` prints. */
export interface InspectReport extends Cost {
  readonly model: string;
  readonly model_type: string;
  readonly head: string;
  /** Seconds of audio that MACs are counted for. */
  readonly seconds: number;
  readonly samples: number;
  readonly frames: number;
  /** Modules without the head, whose costs add up to the totals. */
  readonly rows: readonly CostRow[];
  /** Cost of the head, not in the totals. */
  readonly head_cost: Cost;
  /** How it was pruned: its `espalier.json`; null where there is none. */
  readonly pruned: PruneRecord | null;
  readonly notes: readonly string[];
}

const MASK_NOTE = `${MASK_EMBEDDING} is not counted: only training uses it`;

const HEADS = { ctc: "CTC head", classify: "classification head", none: "no head" };

/** `inspect`: parameters and MACs of every module of a model. */
export const inspectCommand = defineCommand({
  name: "inspect",
  summary: "Show parameters, MACs and units of every module",
  access: ["files", "hub"],
  operands: "MODEL",
  options: {
    seconds: {
      type: "number",
      description: "length of the audio that MACs are counted for",
      default: 10,
      min: 0.025,
      max: MOST_SECONDS,
    },
    revision: revisionOption,
    lang: langOption,
    json: { type: "flag", description: "print JSON" },
  },
  examples: [["the embedded model", "inspect assets/commands-tiny"]],
  async run({ seconds, json, ...choice }, operands) {
    const [model, more] = operands;
    if (model === undefined || more !== undefined) {
      throw new UserError(`inspect takes one MODEL: got ${operands.join(" ") || "none"}`);
    }
    const { report, config } = await onFiles(() => inspect(model, choice, seconds));
    print(json ? JSON.stringify(report, null, 2) : render(report, config));
    return 0;
  },
});

async function inspect(
  model: string,
  choice: ModelChoice,
  seconds: number,
): Promise<{ report: InspectReport; config: ModelConfig }> {
  const path = await folderOf(model, choice);
  const checkpoint: Checkpoint = await readCheckpoint(path, languageOf(choice));
  const { config, head, notes, tensors } = checkpoint;
  const samples = Math.round(seconds * 16000);
  const costs = costsOf(config, samples);
  const report = {
    model,
    model_type: config.model_type,
    head,
    seconds,
    samples,
    frames: convFrames(config, samples).at(-1)!,
    parameters: costs.parameters,
    macs: costs.macs,
    rows: costs.rows,
    head_cost: headCost(config, head, samples),
    pruned: await readRecord(`${await smallFilesFolder(path)}/${RECORD_FILE}`, config),
    notes: [...notes, ...tensors.has(MASK_EMBEDDING) ? [MASK_NOTE] : []],
  };
  return { report, config };
}

async function readRecord(path: string, config: ModelConfig): Promise<PruneRecord | null> {
  const bytes = await readFileIfExists(path);
  if (!bytes) return null;
  const record = parsePruneRecord(new TextDecoder().decode(bytes), path);
  checkRecordedUnits(record.units, config, `read ${printable(path)}`);
  return record;
}

function render(report: InspectReport, config: ModelConfig): string {
  const { parameters, macs, rows, head, head_cost, pruned, notes, seconds, frames } = report;
  const total = { name: "total", parameters, macs, units: null };
  const lines = [...rows, total].map((row) => [
    row.name,
    row.units === null ? "" : whole(row.units),
    whole(row.parameters),
    percent(row.parameters, parameters),
    whole(row.macs),
    percent(row.macs, macs),
  ]);
  const beside = head === "none"
    ? ""
    : `; its ${HEADS[head as keyof typeof HEADS]} adds ${summary(head_cost)}`;
  return [
    `${report.model}: ${report.model_type}, ${HEADS[head as keyof typeof HEADS]}`,
    "",
    ...table([["module", "units", "parameters", "share", "MACs", "share"], ...lines]),
    "",
    `${summary(report)} for ${seconds} s of audio (${whole(frames)} frames)${beside}`,
    ...pruned ? pruningLines(pruned, config) : [],
    ...notes.map((note) => `note: ${note}`),
    ...pruned ? ["", ...picture(pruned, config)] : [],
  ].join("\n");
}

function summary({ parameters, macs }: Cost): string {
  return `${whole(parameters)} parameters, ${scaled(macs)}`;
}

/** MACs with four digits: `74.06 GMACs`. */
function scaled(macs: number): string {
  const [unit, size] = macs >= 1e9 ? ["GMACs", 1e9] as const : ["MMACs", 1e6] as const;
  return `${Number((macs / size).toPrecision(4))} ${unit}`;
}

function whole(n: number): string {
  return n.toLocaleString("en");
}

function percent(part: number, of: number): string {
  return `${of === 0 ? "0.0" : (100 * part / of).toFixed(1)} %`;
}

/** Aligned columns, the first to the left and the others to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join("  ")
  );
}
