// Which elements of its tensors a GEMM touches, and how far they exceed a binding.
import { alignOf, roundDown, roundUp } from "../../tensor/align.ts";
import type { Window } from "../../tensor/binding_windows.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { elementBytes } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { batchOf, type GemmOutput, type GemmProblem, type Operand } from "./problem.ts";

/** The first element and one past the last, relative to the tensor. */
export interface Range {
  /** First element. */
  readonly from: number;
  /** One past the last element. */
  readonly to: number;
}

/** The image rows that an operand's indices reach, inside the image or not. `outer` is m or n. */
export function rowsOf(problem: GemmProblem, operand: Operand, outer: number): Range {
  const [, z2] = batchOf(problem);
  const [k1, k2] = problem.k;
  const steps = [
    (operand.step ?? 1) * ((operand.alongK ? outer : k2) - 1),
    (operand.tap ?? 0) * (k1 - 1),
    (operand.z2Step ?? 0) * (z2 - 1),
  ];
  const y0 = operand.y0 ?? 0;
  const least = steps.reduce((sum, step) => sum + Math.min(0, step), y0);
  const most = steps.reduce((sum, step) => sum + Math.max(0, step), y0);
  return { from: least, to: most + 1 };
}

/** Those of {@linkcode rowsOf} that are inside the image; at least one. */
export function imageRows(problem: GemmProblem, operand: Operand, outer: number): Range {
  const { from, to } = rowsOf(problem, operand, outer);
  const top = Math.max(0, Math.min(from, operand.height - 1));
  return { from: top, to: Math.max(top + 1, Math.min(to, operand.height)) };
}

/** The elements of an operand's tensor that a GEMM reads. */
export function readRange(problem: GemmProblem, operand: Operand, outer: number): Range {
  const [z1, z2] = batchOf(problem);
  const [k1, k2] = problem.k;
  const { from: top, to: end } = imageRows(problem, operand, outer);
  const width = operand.alongK ? k2 : outer;
  const last = (operand.z1Stride ?? 0) * (z1 - 1) + (operand.z2Stride ?? 0) * (z2 - 1) +
    (operand.k1Stride ?? 0) * (k1 - 1) + (end - 1) * operand.row + width;
  const offset = operand.offset ?? 0;
  return { from: offset + top * operand.row, to: offset + last };
}

/** A GEMM's output, whose tensor need not exist yet. */
export interface OutputPlacement {
  /** The output. */
  readonly c: Omit<GemmOutput, "tensor"> & { readonly tensor: Placement };
}

/** The elements of C's tensor that a GEMM writes. */
export function writtenRange(problem: Pick<GemmProblem, "m" | "n" | "batch"> & OutputPlacement): Range {
  const { m, n, c } = problem;
  const [z1, z2] = batchOf(problem);
  const columns = c.padded ? roundUp(n, 4) : n;
  const last = (c.z1Stride ?? 0) * (z1 - 1) + (c.z2Stride ?? 0) * (z2 - 1) + c.row * (m - 1) + columns;
  const offset = c.offset ?? 0;
  return { from: offset, to: offset + last };
}

/** Type and place of a tensor's elements. */
export type Placement = Pick<Tensor, "dtype" | "offset" | "size">;

/**
 * The window to bind for a range of a tensor. It depends on the tensor's offset only modulo the alignment.
 *
 * @param align The window starts at a multiple of so many elements; that of the tensor's type unless given.
 */
export function windowOf(
  { dtype, offset, size }: Placement,
  { from, to }: Range,
  align: number = alignOf(dtype),
): Window {
  const start = roundDown(offset + from, align) - offset;
  return { start, length: Math.min(to, size) - start };
}

/** By how much of itself a limit is exceeded; 0 if it is not. */
export function beyond(need: number, limit: number): number {
  return Math.max(0, need / limit - 1);
}

/** How far C, or the tensors at its addresses, exceed a binding. */
export function beyondWritten(gpu: Gpu, problem: GemmProblem): number {
  const { c, pre, residual } = problem;
  const range = writtenRange(problem);
  const tensors = [c.tensor, pre, residual].filter((tensor) => tensor !== undefined);
  return Math.max(...tensors.map((tensor) => beyondBinding(gpu, tensor, range)));
}

/** How far a tensor's range, aligned, exceeds a binding. */
export function beyondBinding(gpu: Gpu, { dtype }: Tensor, range: Range): number {
  return beyond((range.to - range.from + alignOf(dtype)) * elementBytes(dtype), gpu.limits.bindingBytes);
}
