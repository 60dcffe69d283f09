/**
 * `deno task bench`: every operation and a training step, beside other WebGPU libraries on the same adapter.
 *
 * @module
 */

import { preferVulkan } from "../cli/backend.ts";
import { openGpu } from "../cli/backend.ts";
import { commandHelp } from "../cli/help.ts";
import { defineCommand, parse } from "../cli/command.ts";
import { UserError } from "../cli/user_error.ts";
import config from "../deno.json" with { type: "json" };
import { compactTable, measureCompact } from "./compact.ts";
import { flopsByCase } from "./flops.ts";
import { measureGates } from "./gates.ts";
import { gemmTable, measureGemm } from "./gemm.ts";
import { halfTable, measureHalf } from "./half.ts";
import { loadTable, measureLoad } from "./load.ts";
import { measure, type Measured } from "./measure.ts";
import { ours } from "./ours.ts";
import type { Peer } from "./peers/peer.ts";
import { profile, profileTable } from "./profile.ts";
import { measureRuntimes, runtimeTable } from "./runtime.ts";
import { document, json, replaceReport, type Report, type Row, text } from "./report.ts";

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
      default: 5,
      description: "samples of each library; the result is the median",
    },
    peers: {
      type: "string",
      default: "jax,tfjs",
      description: "libraries to compare with, separated by commas, or none",
    },
    json: { type: "flag", description: "print JSON" },
    markdown: { type: "flag", description: "print Markdown" },
    update: { type: "path", description: "update the table in this document, between its marks" },
    profile: {
      type: "flag",
      description: "print the time by kernel of this library, for --only or train_step",
    },
    compact: {
      type: "flag",
      description: "measure compact models of base size beside the dense one",
    },
    gates: {
      type: "flag",
      description: "measure a pruning step with half of the units closed beside one with all open",
    },
    half: {
      type: "flag",
      description: "measure a model of base size with f16 and with f32 GEMM",
    },
    runtime: {
      type: "flag",
      description: "measure a dense and a compact model here and in ONNX runtimes",
    },
    gemm: { type: "flag", description: "measure the GEMM kernels alone" },
    load: {
      type: "flag",
      description: "measure how a model of base size loads from PyTorch's files and safetensors",
    },
  },
  async run(values) {
    preferVulkan();
    if (values.compact) return await runCompact(values.rounds);
    if (values.gates) return await runGates(values.rounds);
    if (values.runtime) return await runRuntimes(values.rounds);
    if (values.half) return await runHalf(values.rounds);
    if (values.gemm) return await runGemm();
    if (values.load) return await runLoad(values.rounds);
    return values.profile ? await runProfile(values.only ?? "train_step") : await runBench(values);
  },
});

async function runProfile(only: string): Promise<number> {
  const gpu = await openGpu({ profile: true });
  try {
    const { cases } = ours(gpu, config.version);
    for (const name of namesOf(only)) {
      progress(`${name}: profiling`);
      const work = await cases.get(name)!();
      console.log(`${name} on ${gpu.name}\n\n${profileTable(await profile(gpu, work, 5))}\n`);
      work.dispose();
    }
    return 0;
  } finally {
    progress("");
    gpu.destroy();
  }
}

async function runCompact(rounds: number): Promise<number> {
  const gpu = await openGpu();
  try {
    const times = await measureCompact(gpu, rounds, progress);
    progress("");
    console.log(`wav2vec2-base, random weights, 10 s of audio, on ${gpu.name}\n\n${compactTable(times)}`);
    return 0;
  } finally {
    gpu.destroy();
  }
}

async function runHalf(rounds: number): Promise<number> {
  const costs = await measureHalf(rounds);
  console.log(`wav2vec2-base, random weights, 10 s of audio\n\n${halfTable(costs)}`);
  return 0;
}

async function runRuntimes(rounds: number): Promise<number> {
  const costs = await measureRuntimes(rounds, progress);
  progress("");
  console.log(`wav2vec2-base and half of it, random weights, 10 s of audio\n\n${runtimeTable(costs)}`);
  return costs.every(({ error }) => error === null) ? 0 : 1;
}

async function runGemm(): Promise<number> {
  const timed = await openGpu({ profile: true });
  const plain = await openGpu();
  try {
    const speeds = await measureGemm(timed, plain, progress);
    progress("");
    const how = timed.software ? "by timestamps" : "by timestamps or in a row, whichever is faster";
    console.log(`GEMM on ${timed.name}, ${how}\n\n${gemmTable(speeds)}`);
    return 0;
  } finally {
    timed.destroy();
    plain.destroy();
  }
}

async function runLoad(rounds: number): Promise<number> {
  const costs = await measureLoad(rounds, progress);
  progress("");
  console.log(`wav2vec2-base, random weights, each file in its own process\n\n${loadTable(costs)}`);
  return 0;
}

async function runGates(rounds: number): Promise<number> {
  const gpu = await openGpu();
  try {
    const { open, half, ratio } = await measureGates(gpu, rounds);
    console.log(
      `a pruning step of 16 s of audio on ${gpu.name}: ${open.toFixed(0)} ms with all units open, ` +
        `${half.toFixed(0)} ms with half of them closed, ratio ${ratio.toFixed(3)}`,
    );
    return 0;
  } finally {
    gpu.destroy();
  }
}

interface BenchOptions {
  readonly only?: string | undefined;
  readonly rounds: number;
  readonly peers: string;
  readonly json: boolean;
  readonly markdown: boolean;
  readonly update?: string | undefined;
}

async function runBench(options: BenchOptions): Promise<number> {
  const names = namesOf(options.only ?? "");
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
    for (const name of names) {
      const [own, ...others] = await measure(name, libraries, { rounds: options.rounds, progress });
      rows.push(rowOf(name, own ?? null, libraries.slice(1), others));
    }
    const report: Report = {
      date: new Date().toISOString().slice(0, 10),
      command: ["deno task bench", ...Deno.args].join(" "),
      adapter: gpu.name,
      runtime: `Deno ${Deno.version.deno}`,
      load,
      rounds: options.rounds,
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
  own: Measured | null,
  peers: readonly Peer[],
  others: readonly (Measured | null)[],
): Row {
  if (!own) throw new Error(`Cannot measure as this library must implement every case: ${name} is missing`);
  const measured = peers.map((peer, i) => [peer.name, others[i] ?? null] as const);
  return { name, flops: flopsByCase().get(name)!, ours: own, peers: Object.fromEntries(measured) };
}

function print(report: Report, { json: asJson, markdown, update }: BenchOptions): void {
  if (update !== undefined) {
    Deno.writeTextFileSync(update, replaceReport(Deno.readTextFileSync(update), report));
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

function namesOf(only: string): string[] {
  const all = [...flopsByCase().keys()];
  const names = all.includes(only) ? [only] : all.filter((name) => name.includes(only));
  if (names.length > 0) return names;
  throw new UserError(
    `Cannot run bench as --only must be part of a case's name: ${only} is not part of ${all.join(", ")}`,
  );
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

/** Progress on standard error: updated in place on a terminal, else one line per message. */
function progress(message: string): void {
  if (Deno.stderr.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${message}`));
  else if (message !== "") console.error(message);
}

/** Runs the command with the given arguments. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const request = parse(command, args, Deno.cwd());
    if (request.help) console.log(commandHelp(command));
    return request.help ? 0 : await command.run(request.values, request.operands, request.given);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    return 2;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
