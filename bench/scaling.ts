/**
 * How data-parallel training scales: a simulation for clusters, and a measurement of two processes on this machine.
 *
 *     deno run -A --lock=dev.lock bench/scaling.ts            tables for base and large models, as in docs/scaling.md
 *     deno run -A --lock=dev.lock bench/scaling.ts --measure  one process against two, in alternation, beside the simulation
 *
 * @module
 */
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
  const large = {
    ...base,
    hidden_size: 1024,
    num_hidden_layers: 24,
    num_attention_heads: 16,
    intermediate_size: 4096,
    feat_extract_norm: "layer",
    do_stable_layer_norm: true,
  };
  return Object.entries({ base, large }).map(([name, fields]) => {
    const { parameters, macs } = costsOf(parseConfig(JSON.stringify(fields)), 160_000);
    const forward = 2 * macs * AUDIO / 10 / FLOPS;
    return { name, parameters, forward, backward: 2 * forward };
  });
}

/** Efficiency of 2 to 64 GPUs: on one machine, and on machines of `perHost` GPUs with a network. */
async function tables(): Promise<string> {
  const parts: string[] = [];
  for (const { name, parameters, forward, backward } of await sizes()) {
    const step = { forward, backward, gradients: 4 * parameters, ...LINKS };
    const megabytes = (step.gradients / 1e6).toFixed(0);
    parts.push(
      `${name}: ${
        (1e3 * (forward + backward)).toFixed(0)
      } ms a step of ${AUDIO} s, ${megabytes} MB of gradients`,
    );
    const networks = [25, 100, 200, 400];
    const rows = [2, 4, 8, 16, 32, 64].map((gpus) => {
      const cell = (hosts: number, network: number) => {
        if (!Number.isInteger(hosts) || hosts < 1) return "–";
        const share = efficiency({ ...step, hosts, perHost: gpus / hosts, network });
        return `${(100 * share).toFixed(0)} %`;
      };
      const one = gpus <= 8 ? cell(1, 1) : "–";
      const each = networks.map((gbit) => cell(gpus, gbit * GBIT));
      const nodes = networks.map((gbit) => gpus >= 8 ? cell(gpus / 4, gbit * GBIT) : "–");
      return [String(gpus), one, ...each, ...nodes];
    });
    const head = [
      "GPUs",
      "one machine",
      ...networks.map((gbit) => `1 a machine, ${gbit} Gbit/s`),
      ...networks.map((gbit) => `4 a machine, ${gbit} Gbit/s`),
    ];
    parts.push(markdown({ head, rows }));
  }
  return parts.join("\n\n");
}

if (import.meta.main) {
  console.log(Deno.args.includes("--measure") ? await measureRanks(stepSeconds, LINKS) : await tables());
}
