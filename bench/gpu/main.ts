/**
 * `deno task bench:gpu`: everything to measure on a GPU, in at most eight minutes, with a record of each part.
 *
 * @module
 */

import { preferVulkan } from "../../cli/backend.ts";
import { runCommand } from "../run_command.ts";
import { defineCommand } from "../../cli/command.ts";
import { UserError } from "../../cli/user_error.ts";
import { progress } from "../progress.ts";
import { commitOf, now, RUNTIME, tablesText } from "../record.ts";
import { plain } from "../../prune/report/text_table.ts";
import { loadPart, type Part } from "./part.ts";
import { PARTS } from "./parts.ts";
import { type Outcome, runParts } from "./run_parts.ts";
import { updateDocs } from "./update.ts";

const names = PARTS.map(({ name }) => name).join(", ");

const command = defineCommand({
  name: "bench:gpu",
  summary: "Measure everything that a GPU is needed for, in at most eight minutes",
  options: {
    out: { type: "path", required: true, description: "folder for the records, a JSON file per part" },
    quick: {
      type: "flag",
      description: "take tiny shapes, to see that every part works; for software adapters",
    },
    only: { type: "string", description: `parts to run, separated by commas: ${names}` },
    minutes: {
      type: "number",
      min: 0.1,
      default: 8,
      description: "time for all parts; those that do not fit in are ended or not begun",
    },
    commit: {
      type: "string",
      description: "commit to record, where there is no repository; default: that of git",
    },
    update: {
      type: "flag",
      description: "measure nothing, and rewrite the marked tables of docs/ from the records in the folder",
    },
  },
  async run({ out, quick, only, minutes, commit, update }) {
    if (update) {
      const pages = await updateDocs(out);
      for (const page of pages) console.log(`wrote ${page}`);
      return 0;
    }
    preferVulkan();
    const parts = partsOf(only);
    const outcomes = await runParts(parts, {
      ...{ out, quick, seconds: 60 * minutes },
      origin: {
        date: now(),
        commit: commit ?? await commitOf(),
        runtime: RUNTIME,
        command: ["deno task bench:gpu", ...Deno.args].join(" "),
      },
      onStart: ({ name, about }) => progress(`${name}: ${about}`),
      onEnd: show,
    });
    progress("");
    console.log(await outcomeTable(outcomes));
    return outcomes.every(({ error }) => error === null) ? 0 : 1;
  },
});

/** The parts that a user names. */
function partsOf(only: string | undefined): readonly Part[] {
  if (only === undefined) return PARTS;
  const chosen = only.split(",").map((name) => name.trim());
  const unknown = chosen.find((name) => !PARTS.some((part) => part.name === name));
  if (unknown !== undefined) {
    throw new UserError(`Cannot run bench:gpu as --only must be some of ${names}: got ${unknown}`);
  }
  return PARTS.filter(({ name }) => chosen.includes(name));
}

/** Prints the tables of a part. */
async function show({ part, record }: Outcome): Promise<void> {
  progress("");
  if (!record?.result) return;
  console.log(`${tablesText((await loadPart(part)).tables(record.result))}\n`);
}

/** How the parts ended. */
async function outcomeTable(outcomes: readonly Outcome[]): Promise<string> {
  const rows = await Promise.all(outcomes.map(async ({ part, seconds, error, record }) => {
    const summary = record?.result ? (await loadPart(part)).summary(record.result) : "";
    const status = error === null ? "measured" : "failed";
    return [part.name, status, `${seconds.toFixed(1)} s`, [error, summary].filter(Boolean).join("; ")];
  }));
  return plain({ head: ["part", "status", "time", ""], rows, left: [0, 1, 3] });
}

if (import.meta.main) Deno.exit(await runCommand(command, Deno.args));
