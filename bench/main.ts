/**
 * `deno task bench`: every operation and a training step, beside other WebGPU libraries on the same adapter.
 *
 * @module
 */

import { openGpu, preferVulkan } from "../cli/backend.ts";
import { defineCommand } from "../cli/command.ts";
import { UserError } from "../cli/user_error.ts";
import config from "../deno.json" with { type: "json" };
import { bytesByCase, copies } from "./bandwidth.ts";
import { flopsByCase } from "./flops.ts";
import { measure, type Measured } from "./measure.ts";
import { namesOf } from "./cases.ts";
import { ours } from "./ours.ts";
import type { Peer } from "./peers/peer.ts";
import { progress } from "./progress.ts";
import { commitOf } from "./record.ts";
import { document, json, replaceReport, type Report, type Row, text } from "./report.ts";
import { runCommand } from "./run_command.ts";
import { ROUNDS, runStudy, studyOf } from "./studies.ts";

/** Loaders of the peers, which only the benchmark depends on. */
const loaders: Readonly<Record<string, () => Promise<Peer>>> = {
  jax: async () => (await import("./peers/jax.ts")).load(),
  tfjs: async () => (await import("./peers/tfjs.ts")).load(),
};

const command = defineCommand({
  name: "bench",
  summary: "Benchmark kernels and a training step against other libraries",
  options: {
    only: { type: "string", description: "measure only the cases whose name contains this" },
    rounds: {
      type: "integer",
      min: 1,
      description: `samples of each library; the result is the median; default: ${ROUNDS}`,
    },
    peers: {
      type: "string",
      default: "jax,tfjs",
      description: "libraries to compare with, separated by commas, or none",
    },
    json: { type: "flag", description: "print JSON" },
    markdown: { type: "flag", description: "print Markdown" },
    update: {
      type: "path",
      description: "update the table in this document, between its marks, and docs/results/bench.json",
    },
    profile: {
      type: "flag",
      description: "print the time by kernel of this library, for --only or train_step, or of --compact",
    },
    compact: {
      type: "flag",
      description: "measure compact models beside the dense ones, --only some of them, 11 rounds by default",
    },
    gates: {
      type: "flag",
      description: "measure a pruning step with half of the units closed beside one with all open",
    },
    half: {
      type: "flag",
      description: "measure a model of base size with f16 and with f32 GEMM",
    },
    export: {
      type: "flag",
      description: "measure size, time and error rates of the element types of export --to onnx",
    },
    memory: {
      type: "flag",
      description: "estimate the memory of runs, and measure that of the embedded model",
    },
    runtime: {
      type: "flag",
      description: "measure a dense and a compact model here and in ONNX runtimes",
    },
    seconds: { type: "integer", min: 1, description: "seconds of audio for --runtime; default: 10" },
    host: {
      type: "flag",
      description: "count the commands of a training step and time the host's share of it",
    },
    against: {
      type: "path",
      description: "folder of another checkout to measure in alternation, with --host and --startup",
    },
    startup: {
      type: "flag",
      description: "measure transcribe from the command to its exit, with warm and with empty caches",
    },
    streaming: { type: "flag", description: "measure how long after a word a stream has its text" },
    subgroups: { type: "flag", description: "measure reductions with and without subgroups" },
    out: { type: "path", description: "folder to write the record of a measurement to, as JSON" },
    load: {
      type: "flag",
      description: "measure how a model of base size loads from PyTorch's files and safetensors",
    },
  },
  async run(values) {
    preferVulkan();
    const study = studyOf(values);
    return study ? await runStudy(study, values) : await runBench(values);
  },
});

interface BenchOptions {
  readonly only?: string | undefined;
  readonly rounds?: number | undefined;
  readonly peers: string;
  readonly json: boolean;
  readonly markdown: boolean;
  readonly update?: string | undefined;
}

async function runBench(options: BenchOptions): Promise<number> {
  const names = namesOf(options.only ?? "");
  const { rounds = ROUNDS } = options;
  const requested = peerNames(options.peers);
  const load = { before: Deno.loadavg()[0]!, cores: navigator.hardwareConcurrency };
  const gpu = await openGpu();
  try {
    const libraries = [ours(gpu, config.version)];
    const missing: Record<string, string> = {};
    for (const name of requested) {
      progress(`loading ${name}`);
      try {
        libraries.push(await loaders[name]!());
      } catch (error) {
        missing[name] = error instanceof Error ? error.message : String(error);
      }
    }
    sameAdapter(libraries);
    const rows: Row[] = [];
    const copy = copies(gpu);
    for (const name of names) {
      const [copied, own, ...others] = await measure(name, [copy, ...libraries], { rounds, progress });
      rows.push(rowOf(name, { own: own ?? null, copy: copied ?? null }, libraries.slice(1), others));
    }
    const report: Report = {
      date: new Date().toISOString().slice(0, 10),
      commit: await commitOf(),
      command: ["deno task bench", ...Deno.args].join(" "),
      adapter: gpu.name,
      runtime: `Deno ${Deno.version.deno}`,
      load,
      rounds,
      libraries: Object.fromEntries(libraries.map(({ name, version }) => [name, version])),
      missing,
      rows,
    };
    progress("");
    print(report, options);
    return verdict(report);
  } finally {
    progress("");
    gpu.destroy();
  }
}

function rowOf(
  name: string,
  { own, copy }: { own: Measured | null; copy: Measured | null },
  peers: readonly Peer[],
  others: readonly (Measured | null)[],
): Row {
  if (!own) throw new Error(`Cannot measure as this library must implement every case: ${name} is missing`);
  const measured = peers.map((peer, i) => [peer.name, others[i] ?? null] as const);
  const [flops, bytes] = [flopsByCase().get(name)!, bytesByCase().get(name) ?? null];
  return { name, flops, bytes, ours: own, copy, peers: Object.fromEntries(measured) };
}

function print(report: Report, { json: asJson, markdown, update }: BenchOptions): void {
  if (update !== undefined) {
    Deno.writeTextFileSync(update, replaceReport(Deno.readTextFileSync(update), report));
    Deno.writeTextFileSync(new URL("../docs/results/bench.json", import.meta.url), `${json(report)}\n`);
  }
  console.log(asJson ? json(report) : markdown ? document(report) : text(report));
}

/** The exit status: 1 if a case of this library failed or values differ. */
function verdict({ rows }: Report): number {
  const wrong = rows.filter(({ ours, peers }) =>
    ours.error !== null || Object.values(peers).some((peer) => peer?.disagrees)
  );
  for (const { name, ours } of wrong) {
    console.error(`${name}: ${ours.error ?? "the libraries disagree on its values"}`);
  }
  return wrong.length === 0 ? 0 : 1;
}

function peerNames(list: string): string[] {
  if (list === "none") return [];
  const names = list.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !(name in loaders));
  if (unknown === undefined) return names;
  throw new UserError(
    `Cannot run bench as --peers must be some of ${Object.keys(loaders)}, or none: got ${unknown}`,
  );
}

function sameAdapter([first, ...others]: readonly Peer[]): void {
  for (const { name, adapter } of others) {
    if (adapter === first!.adapter) continue;
    throw new Error(
      `Cannot compare as libraries must run on one adapter: ${first!.name} on ${
        first!.adapter
      }, ${name} on ${adapter}`,
    );
  }
}

if (import.meta.main) Deno.exit(await runCommand(command, Deno.args));
