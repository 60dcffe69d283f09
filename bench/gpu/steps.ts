/**
 * Part `steps`: a step of pruning and one of fine-tuning of wav2vec2-base, 8 × 10 s of audio with a teacher, beside PyTorch.
 *
 * @module
 */

import { openGpu } from "../../cli/backend.ts";
import { parseConfig } from "../../model/config.ts";
import { runJson } from "../child.ts";
import type { HostCost, HostRequest, StepProfile } from "../host_process.ts";
import { digits, median } from "../statistics.ts";
import { ROOT } from "../step_modules.ts";
import { STEP_KINDS, type StepKind } from "../steps.ts";
import type { TitledTable } from "../record.ts";
import type { PartRequest } from "./part.ts";
import { runTorch, torchConfig, type TorchDevice, type TorchResult } from "./torch.ts";

/** A step here. */
export interface OwnStep {
  readonly kind: StepKind;
  readonly cost: HostCost;
  readonly profile: StepProfile;
}

/** What PyTorch measured. */
export interface TorchSteps extends TorchDevice {
  readonly costs: readonly {
    readonly kind: StepKind;
    readonly dtype: string;
    readonly ms: readonly number[];
    /** Peak bytes of its allocator; null on the CPU. */
    readonly bytes: number | null;
  }[];
}

/** Steps here and in PyTorch. */
export interface StepsResult {
  readonly adapter: string;
  readonly model: string;
  /** Utterances, and samples of each. */
  readonly batch: readonly [number, number];
  readonly own: readonly OwnStep[];
  readonly torch: TorchResult<TorchSteps>;
}

/** Kernels of a profile that are shown. */
const SHOWN = 12;

/** Measures: steps without a profile first, then PyTorch, then profiles. */
export async function measure(
  { quick }: PartRequest,
  save: (result: StepsResult) => Promise<void>,
): Promise<StepsResult> {
  const gpu = await openGpu();
  const { name: adapter } = gpu;
  gpu.destroy();
  const batch = quick ? [1, 16_000] as const : [8, 160_000] as const;
  const request = { root: ROOT, model: quick ? "tiny" : "base", steps: quick ? 2 : 10, batch } as const;
  const config = `recipes/configs/${quick ? "tiny" : "wav2vec2"}-base.json`;
  const costs = new Map<StepKind, HostCost>();
  const profiles = new Map<StepKind, StepProfile>();
  let torch: TorchResult<TorchSteps> = { result: null, missing: "not measured yet" };
  const result = (): StepsResult => ({
    ...{ adapter, model: quick ? "commands-tiny" : "wav2vec2-base", batch, torch },
    own: [...costs].map(([kind, cost]) => ({ kind, cost, profile: profiles.get(kind) ?? null })),
  });
  const run = <T>(options: Partial<HostRequest>) =>
    runJson<T>("host_process.ts", { ...request, ...options }, ROOT);
  for (const kind of STEP_KINDS) {
    costs.set(kind, await run<HostCost>({ kind }));
    await save(result());
  }
  const model = torchConfig(parseConfig(await Deno.readTextFile(`${ROOT}/${config}`)));
  torch = await runTorch("torch_prune_step.py", { config: model, batch, steps: request.steps }, quick);
  await save(result());
  for (const kind of STEP_KINDS) {
    profiles.set(kind, await run<StepProfile>({ kind, profile: true }));
    await save(result());
  }
  return result();
}

/** Name of the adapter. */
export const adapter = (result: StepsResult): string => result.adapter;

const title = (kind: StepKind) => kind === "prune" ? "pruning" : "fine-tuning";

/** Times of the steps in one line. */
export function summary({ own, torch }: StepsResult): string {
  const parts = own.map(({ kind, cost }) => {
    const ours = median(cost.wall);
    const peer = torch.result?.costs.find((one) => one.kind === kind && one.dtype === "float32");
    const beside = peer ? `, PyTorch on ${torch.result!.device} ${digits(median(peer.ms))}` : "";
    return `${title(kind)} ${digits(ours)} ms${beside}`;
  });
  return [...parts, ...torch.missing === null ? [] : [`PyTorch: ${torch.missing}`]].join("; ");
}

const megabytes = (bytes: number | null) => bytes === null ? "" : (bytes / 1e6).toFixed(0);

/** Steps, and the slowest kernels. */
export function tables(result: StepsResult): TitledTable[] {
  const { model, batch: [utterances, samples], own, torch } = result;
  const ours = own.map(({ kind, cost: { wall, host, script, bytes, calls } }) => [
    ...[title(kind), "Espalier, f32", digits(median(wall)), digits(median(host)), digits(median(script))],
    ...[String(calls.dispatches), megabytes(bytes)],
  ]);
  const peers = torch.result?.costs.map(({ kind, dtype, ms, bytes }) => [
    ...[title(kind), `PyTorch ${torch.result!.torch}, ${dtype}, ${torch.result!.device}`, digits(median(ms))],
    ...["", "", "", megabytes(bytes)],
  ]) ?? [];
  const missing = torch.missing === null ? "" : `; PyTorch: ${torch.missing}`;
  return [
    {
      title: `A step of ${model}, ${utterances} × ${samples / 16_000} s of audio, with a teacher${missing}`,
      left: [0, 1],
      head: ["step", "library", "ms", "host ms", "of it script ms", "dispatches", "peak MB"],
      rows: [...ours, ...peers].sort(([a], [b]) => b! < a! ? -1 : 1),
    },
    ...own.flatMap(({ kind, profile }) => profile === null ? [] : [profileOf(kind, profile)]),
  ];
}

function profileOf(kind: StepKind, profile: NonNullable<StepProfile>): TitledTable {
  const total = profile.reduce((sum, { ms }) => sum + ms, 0);
  return {
    title: `The slowest kernels of the ${title(kind)} step, ${digits(total)} ms on the device`,
    head: ["kernel", "dispatches", "ms", "share"],
    rows: profile.slice(0, SHOWN).map(({ kernel, count, ms }) => [
      `\`${kernel.replaceAll(/ \w+=false/g, "").replaceAll("=true", "")}\``,
      ...[digits(count), digits(ms), `${(100 * ms / total).toFixed(1)} %`],
    ]),
  };
}
