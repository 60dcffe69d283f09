import { makeAsterisk } from "../data/synthetic/asterisk.ts";
import { checkCorpus, type CorpusReport, type SubsetReport } from "../data/corpus/check.ts";
import { makeCommands } from "../data/synthetic/make_commands.ts";
import { readVocabulary } from "../data/corpus/vocabulary.ts";
import type { DataValues } from "./data_options.ts";
import { fromUser } from "./files.ts";
import { cleaningUp } from "./long_run.ts";
import { folderOf } from "./model_option.ts";
import { print, unlessClosed } from "./print.ts";
import { isQuiet, waitFor } from "./stderr.ts";
import { UserError } from "./user_error.ts";

/** `data commands`: the default corpus, synthesised unless it exists. */
export async function makeCommandsData(
  { out, train, dev, test, seed, format, json }: DataValues,
): Promise<number> {
  const making = (signal: AbortSignal) =>
    makeCommands({
      signal,
      ...out !== undefined && { out },
      train,
      dev,
      test,
      seed,
      format,
      progress: showProgress("synthesised"),
      onWait: waitFor("synthesises the corpus"),
    });
  const corpus = await cleaningUp(making);
  const { dir, found, subsets } = corpus;
  if (json) print(JSON.stringify(corpus, null, 2));
  else print([`${dir}${found ? " (exists)" : ""}`, ...subsetLines(subsets)].join("\n"));
  return 0;
}

/** `data asterisk`: human speech from Debian's packages. */
export async function makeAsteriskData({ out, seed, format, json }: DataValues): Promise<number> {
  const subsets = await cleaningUp((signal) => makeAsterisk({ out: out!, seed, format, signal }));
  if (json) print(JSON.stringify({ dir: out, subsets }, null, 2));
  else print([out, ...subsetLines(subsets)].join("\n"));
  return 0;
}

/** `data check`: statistics of a corpus, and with status 1 its errors. */
export async function checkData(
  { task, vocab, lang, limit, strict, json }: DataValues,
  dir: string,
): Promise<number> {
  if (lang !== undefined && vocab === undefined) throw new UserError("--lang requires --vocab");
  const report = await checkCorpus(fromUser(dir), {
    limit,
    strict,
    ...task && { task },
    ...vocab !== undefined && { tokenizer: await readVocabulary(await folderOf(vocab, { lang }), lang) },
    progress: showProgress("decoded"),
  });
  print(json ? JSON.stringify(report, null, 2) : renderReport(report));
  return report.problems.length > 0 ? 1 : 0;
}

function subsetLines(subsets: Readonly<Record<string, { clips: number; seconds: number }>>): string[] {
  return Object.entries(subsets).map(([name, { clips, seconds }]) =>
    `  ${name.padEnd(11)}  ${String(clips).padStart(6)} utterances  ${
      (seconds / 60).toFixed(1).padStart(7)
    } min`
  );
}

function renderReport({ dir, task, subsets, problems, notes }: CorpusReport): string {
  const purpose = { asr: "speech recognition", slu: "spoken-language understanding" }[task];
  const verdict = problems.length === 0 ? "no errors" : `${problems.length} errors`;
  return [
    `${dir}: ${purpose}`,
    ...subsets.flatMap(renderSubset),
    ...notes.map((note) => `note: ${note}`),
    ...problems.map((problem) => `error: ${problem}`),
    verdict,
  ].join("\n");
}

function renderSubset(
  { name, clips, speakers, seconds, sampleRates, words, classes }: SubsetReport,
): string[] {
  const lengths = [seconds.least, seconds.median, seconds.most].map((length) => length.toFixed(2)).join(
    " / ",
  );
  const rates = Object.keys(sampleRates).map((rate) => `${rate} Hz`).join(", ");
  const shares = Object.entries(classes ?? {}).map(([label, count]) => `${label} ${count}`).join(", ");
  return [
    `  ${name}`,
    `    utterances  ${clips}, ${(seconds.all / 60).toFixed(1)} min, ${speakers || "unknown"} ${
      speakers === 1 ? "speaker" : "speakers"
    }, ${rates}`,
    `    seconds     ${lengths} (min, median, max)`,
    ...words ? [`    words       ${words.all}, ${words.different} different`] : [],
    ...shares ? [`    classes     ${shares}`] : [],
  ];
}

/** Progress on standard error: updated in place on a terminal, else a line for every tenth. */
function showProgress(verb: string): (done: number, all: number) => void {
  const inPlace = Deno.stderr.isTerminal();
  const start = performance.now();
  let shown = 0;
  return (done, all) => {
    if (isQuiet()) return;
    const share = Math.floor(done / all * (inPlace ? 100 : 10));
    const seconds = (performance.now() - start) / 1000;
    // A short job needs no progress.
    if (share === shown || (shown === 0 && seconds < 2)) return;
    shown = share;
    const line = `${done} of ${all} utterances ${verb}, ${Math.round(seconds / done * (all - done))} s left`;
    const end = done === all ? "\n" : "";
    const text = inPlace ? `\r\x1b[K${line}${end}` : `${line}\n`;
    unlessClosed(() => Deno.stderr.writeSync(new TextEncoder().encode(text)));
  };
}
