/**
 * Measures the host's share of a step: how many commands it records, and its time, of this checkout and, in alternation, of
 * another one. Each measurement has a process of its own.
 *
 * @module
 */

import { runJson } from "./child.ts";
import type { HostCost, HostRequest } from "./host_process.ts";
import { checkoutNames, type TitledTable } from "./record.ts";
import { digits, median } from "./statistics.ts";
import { ROOT } from "./step_modules.ts";
import { STEP_KINDS, STEP_MODELS, type StepKind, type StepModel } from "./steps.ts";

/** Steps to time in a process, utterances of a step, and samples of each: few, since the host's share hardly depends on them. */
const SIZES: Readonly<Record<StepModel, { steps: number; batch: readonly [number, number] }>> = {
  tiny: { steps: 60, batch: [1, 8_000] },
  base: { steps: 3, batch: [1, 8_000] },
};

/** The host's share of a step, over all rounds. */
export interface HostStep {
  readonly model: StepModel;
  readonly kind: StepKind;
  /** Commit of the other checkout; null for this one. */
  readonly against: string | null;
  readonly adapter: string;
  readonly calls: HostCost["calls"];
  /** Median milliseconds: CPU time of the main thread, without WebGPU, and wall time. */
  readonly ms: { readonly host: number; readonly script: number; readonly wall: number };
}

/** Options of {@linkcode measureHost}. */
export interface HostOptions {
  /** Part of the names of the cases to measure, `tiny_prune` to `base_finetune`. */
  readonly only: string;
  /** Folder of another checkout to compare with; null for none. */
  readonly against: string | null;
  readonly rounds: number;
  readonly progress: (message: string) => void;
}

/** Names of the cases. */
export const HOST_CASES = STEP_MODELS.flatMap((model) => STEP_KINDS.map((kind) => `${model}_${kind}`));

/** Measures the cases, each in alternation with the other checkout. */
export async function measureHost({ only, against, rounds, progress }: HostOptions): Promise<HostStep[]> {
  const steps: HostStep[] = [];
  const roots = against === null ? [null] : [null, against];
  const names = await checkoutNames(roots);
  for (const model of STEP_MODELS) {
    for (const kind of STEP_KINDS) {
      if (!`${model}_${kind}`.includes(only)) continue;
      const costs = roots.map(() => [] as HostCost[]);
      for (let round = 1; round <= rounds; round++) {
        for (const [i, root] of roots.entries()) {
          progress(`${model}_${kind}: ${root ?? "this checkout"}, round ${round} of ${rounds}`);
          const request: HostRequest = { root: root ?? ROOT, model, kind, ...SIZES[model] };
          costs[i]!.push(await runJson("host_process.ts", request, root ?? ROOT));
        }
      }
      names.forEach((name, i) => {
        const all = costs[i]!;
        const ms = (key: "host" | "script" | "wall") => median(all.flatMap((cost) => cost[key]));
        const { adapter, calls } = all[0]!;
        const times = { host: ms("host"), script: ms("script"), wall: ms("wall") };
        steps.push({ model, kind, against: name, adapter, calls, ms: times });
      });
    }
  }
  return steps;
}

/** The steps as a table. */
export function hostTables(steps: readonly HostStep[]): TitledTable[] {
  const calls = Object.keys(steps[0]!.calls) as (keyof HostCost["calls"])[];
  const name = ({ model, kind, against }: HostStep) =>
    `${model}_${kind}${against === null ? "" : `, ${against}`}`;
  return [{
    title: "Calls of a step, CPU time of the main thread, and that of this library's own code in it",
    head: ["", ...steps.map(name)],
    rows: [
      ...calls.map((call) => [call, ...steps.map((step) => String(step.calls[call]))]),
      ["host ms", ...steps.map(({ ms }) => digits(ms.host))],
      ["of it script ms", ...steps.map(({ ms }) => digits(ms.script))],
    ],
  }];
}
