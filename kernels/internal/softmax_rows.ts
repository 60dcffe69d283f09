import index from "../../tensor/_index.wgsl" with { type: "text" };
import type { Resource } from "../../tensor/dispatch.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { type Helper, Kernel } from "../../tensor/kernel.ts";
import { runRows } from "../../tensor/rows.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import softmaxRow from "./_softmax_row.wgsl" with { type: "text" };
import { overLanes } from "./over_lanes.ts";

/** A shader that applies a softmax to rows of its variable `x`. */
export function softmaxKernel(name: string, source: string, helpers: readonly Helper[] = []): Kernel {
  return new Kernel(name, source, [...helpers, softmaxRow, overLanes, index]);
}

/**
 * Invocations that share a row: all 64 of a workgroup where rows are long.
 *
 * @param columns Elements of a row.
 * @throws {RangeError} If there are more than a million: 64 invocations would loop for longer than adapters allow.
 */
export function lanesOf(columns: number): number {
  if (columns > 1e6) {
    throw new RangeError(`Cannot apply a softmax as rows have at most a million columns: found ${columns}`);
  }
  return columns > 1024 ? 64 : 1;
}

/** One pass over rows. */
export interface SoftmaxPass {
  /** Entry point. */
  readonly entry: string;
  /** Tensors with as many rows as the pass, by variable name. */
  readonly rows: Record<string, Tensor>;
  /** Tensors that are bound as a whole. */
  readonly whole?: Record<string, Resource>;
  /** Fields of `Params` besides `rows` and `columns`. */
  readonly params?: Record<string, number>;
}

/** Runs an entry point over `count` rows of `columns` elements. */
export function runSoftmaxRows(
  gpu: Gpu,
  kernel: Kernel,
  [count, columns]: readonly [count: number, columns: number],
  { entry, rows, whole = {}, params = {} }: SoftmaxPass,
): void {
  if (count === 0 || columns === 0) return;
  const lanes = lanesOf(columns);
  runRows(gpu, kernel, count, {
    entry,
    rows,
    whole,
    params: ({ rows }) => ({ rows, columns, ...params }),
    constants: { LANES: lanes },
    workgroups: ({ rows }) => Math.ceil(rows * lanes / 64),
  });
}
