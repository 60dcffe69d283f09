/**
 * docs/results.md and its plots, and tables of the README and of docs/scaling.md, made from the records in docs/results/:
 *
 *     deno run -A bench/results.ts            writes them anew
 *     deno run -A bench/results.ts NAME DIR   first takes the record of the sweep, or the report of the run, in DIR
 *
 * A sweep's record is docs/results/NAME/sweep.json, with `about.md` beside it: a heading, and what the corpus and the dense model
 * are. docs/results/default/report.json is that of `./espalier prune` without options, which the README shows.
 *
 * @module
 */
import { simulations, simulationTables } from "./scaling.ts";
import { replaceBetween } from "./marks.ts";
import type { PruneReport } from "../prune/report/report.ts";
import { percent, summaryText } from "../prune/report/summary.ts";
import { errorOf, type Group, groupsOf } from "../prune/sweep/groups.ts";
import { sweepPlots } from "../prune/sweep/plots.ts";
import { secondsOf, type SweepRecord } from "../prune/sweep/record.ts";
import { errorName, markdownTable, missingLines, probability, sweepTable } from "../prune/sweep/table.ts";
import { markdown } from "../prune/report/text_table.ts";
import { showTime } from "../train/progress.ts";

const root = new URL("../", import.meta.url);
const RESULTS = new URL("docs/results/", root);

/** Folders of the sweeps in the order of the page; a new one is added here. */
const ORDER = ["fsdd", "pico", "asterisk", "commands", "commands-intents"];

/** A sweep whose results are published. */
export interface PublishedSweep extends SweepRecord {
  /** Commit of the program when its record was taken. */
  readonly commit: string;
}

/** A sweep with its folder and its text. */
interface Entry {
  readonly name: string;
  readonly about: string;
  readonly record: PublishedSweep;
  readonly groups: readonly Group[];
}

/** Takes the record of a sweep, or the report of a run, with the last parts of its paths. */
async function take(name: string, dir: string): Promise<void> {
  const { stdout } = await new Deno.Command("git", { args: ["rev-parse", "--short", "HEAD"], cwd: root })
    .output();
  const commit = new TextDecoder().decode(stdout).trim();
  const text = await Deno.readTextFile(`${dir}/sweep.json`).catch(() =>
    Deno.readTextFile(`${dir}/report.json`)
  );
  // Of a path its last part, and the folder of the recipes.
  const last = (path: string) => /(?:recipes\/)?[^/]*$/.exec(path)![0];
  const record = JSON.parse(text.replace(/(?<=[" ])\/[^" ]+(?=[" ])/g, last));
  const folder = new URL(`${name}/`, RESULTS);
  await Deno.mkdir(folder, { recursive: true });
  const file = new URL("runs" in record ? "sweep.json" : "report.json", folder);
  await Deno.writeTextFile(file, JSON.stringify({ commit, ...record }) + "\n");
}

/** Published sweeps, in the order of the page. */
async function readEntries(): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const name of ORDER) {
    const read = (file: string) => Deno.readTextFile(new URL(`${name}/${file}`, RESULTS));
    const text = await read("sweep.json").catch(() => null);
    if (text === null) continue; // not run yet
    const record = JSON.parse(text) as PublishedSweep;
    entries.push({ name, about: (await read("about.md")).trim(), record, groups: groupsOf(record) });
  }
  return entries;
}

const INTRO = `# Results

<!-- Written by bench/results.ts from docs/results/. -->

What the methods do to small models of human speech, and to the embedded one. Every section is made from the record of a
sweep (\`./espalier sweep\`, see the [tutorial](tutorial.md#6-several-runs)) in [docs/results](results), which has the errors in every
utterance, and the command, options and times of every run. Neither LibriSpeech nor a published base model has been run.

Error: mean and standard deviation over seeds. Parameters, MACs and time: shares of the dense model; the time is measured in
alternation with it at the end of each run. \`none\` is the control: the dense model, trained on with the same steps, rates,
distillation and data. Differences are in points, with the 95 % interval and the two-sided p of a paired bootstrap over the test
utterances ([method](method.md#comparing-runs)); a row's runs count as their mean. Other work ran on the same cores.`;

/** docs/results.md. */
export function resultsPage(entries: readonly Entry[]): string {
  return [INTRO, ...entries.map(section)].join("\n\n") + "\n";
}

function section({ name, about, record, groups }: Entry): string {
  const { commands, runs, commit, version, date } = record;
  const results = runs.flatMap(({ result }) => result ? [result] : []);
  const seeds = seedsOf(groups);
  const adapters = [...new Set(results.map(({ adapter }) => adapter))];
  const time = showTime(results.reduce((sum, result) => sum + secondsOf(result), 0));
  const missing = missingLines(record).map((line) => `- ${line}`);
  const plots = plotNames(groups).map(([plot, title]) => `![${title}](results/${name}/${plot}.svg)`);
  return [
    about,
    ["The sweep:", "", "```sh", ...commands, "```"].join("\n"),
    `${results.length} runs, seeds ${seeds.join(", ")}, ${time} in all, on ${
      adapters.join("; ")
    }. Espalier ${version}, commit ` +
    `${commit}, ${date.slice(0, 10)}. Record: [sweep.json](results/${name}/sweep.json).`,
    markdownTable(sweepTable(record, groups)),
    ...missing.length > 0 ? [missing.join("\n")] : [],
    plots.join("\n"),
  ].join("\n\n");
}

/** Seeds of the finished runs. */
function seedsOf(groups: readonly Group[]): number[] {
  return [...new Set(groups.flatMap(({ seeds }) => seeds))].sort((a, b) => a - b);
}

/** The plots that a sweep has. */
function plotNames(groups: readonly Group[]): [name: string, title: string][] {
  const timed = groups.some(({ shares }) => shares.time !== null);
  const plots: [string, string][] = [["macs", "Error against MACs kept"], [
    "parameters",
    "Error against parameters kept",
  ]];
  return groups.length === 0 ? [] : timed ? [...plots, ["time", "Error against measured time"]] : plots;
}

/** Method and targets that the README shows. */
const SHOWN = { method: "mac", targets: [0.3, 0.5] };

/** The table of the README, a row for each sweep. */
export function readmeTable(entries: readonly Entry[]): string {
  const removed = SHOWN.targets.flatMap((target) => [`${percent(target, 0)} removed`, "time", "p"]);
  const rows = entries.map(({ about, record, groups }) => {
    const control = groups.find(({ method }) => method === "none");
    const shown = SHOWN.targets.flatMap((wanted) => {
      const group = groups.find(({ method, target }) => method === SHOWN.method && target === wanted);
      if (!group) return ["–", "–", "–"];
      const { shares: { time }, error, fromDense: { p } } = group;
      return [
        percent(error.mean, 2),
        time === null ? "–" : percent(time, 0),
        probability(p).replace(/^p (= )?/, ""),
      ];
    });
    return [
      about.split("\n")[0]!.replace(/^#+ /, ""),
      `${percent(errorOf(record.common!.dense), 2)} ${errorName(record)}`,
      control ? percent(control.error.mean, 2) : "–",
      ...shown,
    ];
  });
  return markdown({ head: ["model and corpus", "dense", "control", ...removed], rows });
}

/** The plot of the README, with what it shows. */
function readmePlot({ name, about, record, groups }: Entry): string {
  const seeds = seedsOf(groups).length;
  const baselines = [
    ["transformer-only", "`transformer-only` keeps the convolutions"],
    ["uniform", "`uniform` removes the same share of every layer"],
  ].filter(([method]) => groups.some((group) => group.method === method)).map(([, text]) => text);
  const title = about.split("\n")[0]!.replace(/^#+ /, "");
  const methods = ["`mac` is HJ-Pruning by multiply–accumulates (Peng et al. 2023)", ...baselines].join("; ");
  return `![${errorName(record)} against MACs kept, by method](docs/results/${name}/macs.svg)\n\n` +
    `_${title}: means, and smallest and largest of ${seeds} ${seeds === 1 ? "seed" : "seeds"}. ${methods}._`;
}

/** The files that are made from the records: content by path. */
export async function resultFiles(): Promise<Map<string, string>> {
  const entries = await readEntries();
  const files = new Map([["docs/results.md", resultsPage(entries)]]);
  const readme = await Deno.readTextFile(new URL("README.md", root));
  let page = replaceBetween(readme, "results", readmeTable(entries));
  const [shown] = entries;
  if (shown) page = replaceBetween(page, "plot", readmePlot(shown));
  const report = JSON.parse(await Deno.readTextFile(new URL("default/report.json", RESULTS))) as PruneReport;
  const [table] = summaryText(report).split("\n\n");
  page = replaceBetween(page, "default run", "```console\n" + table + "\n```");
  files.set("README.md", page);
  const simulated = await simulations();
  const scaling = await Deno.readTextFile(new URL("docs/scaling.md", root));
  files.set("docs/scaling.md", replaceBetween(scaling, "simulation", simulationTables(simulated)));
  files.set("docs/results/scaling.json", JSON.stringify(simulated, null, 2) + "\n");
  for (const { name, record, groups } of entries) {
    for (const plot of await sweepPlots(record, groups)) {
      files.set(`docs/results/${name}/${plot.name}.svg`, plot.svg);
    }
  }
  return files;
}

if (import.meta.main) {
  const [name, dir] = Deno.args;
  if (name !== undefined && dir !== undefined) await take(name, dir);
  for (const [path, content] of await resultFiles()) await Deno.writeTextFile(new URL(path, root), content);
}
