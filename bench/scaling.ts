/**
 * How data-parallel training scales: a simulation for clusters, and a measurement of two processes on this machine.
 *
 *     deno run -A --lock=dev.lock bench/scaling.ts            tables for base and large models, as in docs/scaling.md
 *     deno run -A --lock=dev.lock bench/scaling.ts --measure  one process against two, in alternation, beside the simulation
 *
 * @module
 */
import { LARGE } from "./large.ts";
import { parseConfig } from "../model/config.ts";
import { costsOf } from "../model/costs.ts";
import { measureRanks } from "./scaling_measure.ts";
import { markdown } from "../prune/report/text_table.ts";

/** A step of one process, and the links that its gradients take. Seconds, bytes, and bytes per second. */
export interface StepModel {
  /** Forward pass and updates. */
  readonly forward: number;
  /** Backward pass, over which gradients become complete evenly. */
  readonly backward: number;
  /** Gradients. */
  readonly gradients: number;
  /** Bytes of a message. */
  readonly bucket: number;
  /** From the device to the host, and back. */
  readonly device: number;
  /** Processes on a machine, and how fast the host adds their gradients. */
  readonly perHost: number;
  readonly host: number;
  /** Machines, and their network: bytes per second and latency of a message. */
  readonly hosts: number;
  readonly network: number;
  readonly latency: number;
}

/**
 * Seconds of a step. Buckets are read back, reduced and uploaded in their order; each of the three links takes one at a time. A ring of n
 * machines sends 2(n − 1)/n of a bucket in 2(n − 1) messages (Patarasuk and Yuan 2009).
 */
export function stepSeconds(step: StepModel): number {
  const { hosts, perHost } = step;
  if (hosts * perHost === 1) return step.forward + step.backward;
  const count = Math.ceil(step.gradients / step.bucket);
  const bytes = step.gradients / count;
  const within = perHost > 1 ? 2 * (perHost - 1) / perHost * bytes / step.host : 0;
  const between = hosts > 1
    ? 2 * (hosts - 1) / hosts * bytes / step.network + 2 * (hosts - 1) * step.latency
    : 0;
  let [read, reduced, uploaded] = [0, 0, 0];
  for (let i = 1; i <= count; i++) {
    const complete = step.forward + step.backward * i / count;
    read = Math.max(read, complete) + bytes / step.device;
    reduced = Math.max(reduced, read) + within + between;
    uploaded = Math.max(uploaded, reduced) + bytes / step.device;
  }
  return Math.max(uploaded, step.forward + step.backward);
}

/** Share of its time that a process computes, compared with one process that computes as much. */
export function efficiency(step: StepModel): number {
  return (step.forward + step.backward) / stepSeconds(step);
}

const GBIT = 1e9 / 8;

/** Links of the tables: PCIe 4.0 ×16 as it is reached, and a host that adds from memory. */
const LINKS = { device: 20e9, host: 12e9, latency: 10e-6, bucket: 25 * 2 ** 20 } as const;

/** Sustained f32 operations per second of a GPU that the tables assume: 40 % of an H200's peak. */
const FLOPS = 0.4 * 66.9e12;

/** Seconds of audio of a process in a step. */
const AUDIO = 80;

interface Size {
  readonly name: string;
  readonly parameters: number;
  /** Seconds of forward and backward pass. */
  readonly forward: number;
  readonly backward: number;
}

/** wav2vec 2.0 base and large: a backward pass has twice the operations of a forward pass. */
async function sizes(): Promise<Size[]> {
  const base = JSON.parse(
    await Deno.readTextFile(new URL("../recipes/configs/wav2vec2-base.json", import.meta.url)),
  );
  const large = { ...base, ...LARGE };
  return Object.entries({ base, large }).map(([name, fields]) => {
    const { parameters, macs } = costsOf(parseConfig(JSON.stringify(fields)), 160_000);
    const forward = 2 * macs * AUDIO / 10 / FLOPS;
    return { name, parameters, forward, backward: 2 * forward };
  });
}

/** Simulated efficiency of a model. */
export interface Simulation {
  readonly model: string;
  /** Seconds of a step of one process, and seconds of audio in it. */
  readonly step: number;
  readonly audio: number;
  /** Bytes of gradients. */
  readonly gradients: number;
  /** Names of the columns after the number of GPUs. */
  readonly columns: readonly string[];
  /** Share of the time that a process computes, by number of GPUs and column; null where it cannot be. */
  readonly rows: readonly { readonly gpus: number; readonly shares: readonly (number | null)[] }[];
}

/** Efficiency of 2 to 64 GPUs: on one machine, and on machines of one or four GPUs with a network. */
export async function simulations(): Promise<Simulation[]> {
  const networks = [25, 100, 200, 400];
  const columns = [
    "one machine",
    ...[1, 4].flatMap((n) => networks.map((gbit) => `${n} a machine, ${gbit} Gbit/s`)),
  ];
  return (await sizes()).map(({ name, parameters, forward, backward }) => {
    const step = { forward, backward, gradients: 4 * parameters, ...LINKS };
    const rows = [2, 4, 8, 16, 32, 64].map((gpus) => {
      const share = (hosts: number, network: number) => {
        if (!Number.isInteger(hosts) || hosts < 1) return null;
        return efficiency({ ...step, hosts, perHost: gpus / hosts, network });
      };
      const one = gpus <= 8 ? share(1, 1) : null;
      const each = networks.map((gbit) => share(gpus, gbit * GBIT));
      const nodes = networks.map((gbit) => gpus >= 8 ? share(gpus / 4, gbit * GBIT) : null);
      return { gpus, shares: [one, ...each, ...nodes] };
    });
    const { gradients } = step;
    return { model: `wav2vec2-${name}`, step: forward + backward, audio: AUDIO, gradients, columns, rows };
  });
}

/** Simulations as tables in Markdown. */
export function simulationTables(of: readonly Simulation[]): string {
  return of.flatMap(({ model, step, audio, gradients, columns, rows }) => [
    `**${model}**, ${(1e3 * step).toFixed(0)} ms a step of ${audio} s, ${
      (gradients / 1e6).toFixed(0)
    } MB of gradients`,
    markdown({
      head: ["GPUs", ...columns],
      rows: rows.map(({ gpus, shares }) => [
        String(gpus),
        ...shares.map((share) => share === null ? "–" : `${(100 * share).toFixed(0)} %`),
      ]),
    }),
  ]).join("\n\n");
}

if (import.meta.main) {
  const measured = Deno.args.includes("--measure");
  console.log(measured ? await measureRanks(stepSeconds, LINKS) : simulationTables(await simulations()));
}
