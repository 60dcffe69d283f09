// Describes a GEMM's output and epilogue to the kernels that write C.
import { alignOf } from "../../tensor/align.ts";
import type { Resource } from "../../tensor/dispatch.ts";
import { areMultiples, divided, type ParamFields } from "../../tensor/shader_params.ts";
import type { Window } from "../../tensor/binding_windows.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { GemmProblem } from "./problem.ts";
import { type OutputPlacement, windowOf, writtenRange } from "./ranges.ts";

/** What `_epilogue.wgsl` needs, but for the tensors. */
export interface EpiloguePlan {
  /** What is bound of tensors at the addresses of C; null where absent. */
  readonly windows: Record<"c" | "pre" | "residual", Window | null>;
  /** Which parts there are, for the preprocessor. */
  readonly parts: Record<
    "ACCUMULATE" | "BIAS" | "PRE" | "GELU" | "GATE" | "ITEM_GATE" | "RESIDUAL",
    boolean
  >;
  /** f32 of a `Number`: a vec4 where all offsets and strides are multiples of four. */
  readonly width: 1 | 4;
  /** WGSL type in which `c` stores a `Number`. */
  readonly stored: string;
  /** Fields of `Params`: addresses in `Number`s, except those of a gate of each item. */
  readonly params: Record<string, number>;
}

/** Types that store a `Number` of so many f32, by the type of the tensor. */
const STORED = { f32: { 1: "f32", 4: "vec4f" }, f16: { 1: "f16", 4: "vec4<f16>" } } as const;

/** A GEMM's output and epilogue. */
export type EpilogueProblem = Omit<GemmProblem, "a" | "b" | "k" | "c"> & OutputPlacement;

/**
 * Describes the output and the epilogue of a GEMM.
 *
 * @param others Other fields of `Params` that are counted in `Number`s.
 */
export function planEpilogue(problem: EpilogueProblem, others: ParamFields): EpiloguePlan {
  const { n, c, bias, pre, gate, residual } = problem;
  const range = writtenRange(problem);
  const at = c.offset ?? 0;
  const dtype = c.tensor.dtype === "f16" ? "f16" : "f32";
  // One address is that of all three, so all bindings start where that of C does, whose elements may be shorter.
  const align = alignOf(dtype);
  const window = windowOf(c.tensor, range);
  const perItem = gate?.nStride === 0;
  const gateFields = { gate_base: gate?.offset ?? 0, gate_z2: gate?.z2Stride ?? 0 };
  const fields: ParamFields = {
    c_base: at - window.start,
    c_z1: c.z1Stride ?? 0,
    c_z2: c.z2Stride ?? 0,
    c_row: c.row,
    bias_base: bias?.offset ?? 0,
    bias_z2: bias?.z2Stride ?? 0,
    ...(!perItem && gateFields),
    ...others,
  };
  const width = areMultiples({ n, ...fields }, 4) ? 4 : 1;
  return {
    windows: {
      c: window,
      pre: pre ? windowOf(pre, range, align) : null,
      residual: residual ? windowOf(residual, range, align) : null,
    },
    parts: {
      ACCUMULATE: problem.accumulate ?? false,
      BIAS: !!bias,
      PRE: !!pre,
      GELU: problem.gelu ?? false,
      GATE: !!gate && !perItem,
      ITEM_GATE: perItem,
      RESIDUAL: !!residual,
    },
    width,
    stored: STORED[dtype][width],
    params: { ...gateFields, ...divided(fields, width) },
  };
}

/** The tensors of a GEMM's output and epilogue by variable name; null where absent. */
export function bindEpilogue(
  { c, bias, pre, gate, residual }: GemmProblem,
  { windows, parts }: EpiloguePlan,
): Record<"c" | "bias" | "pre" | "gate" | "item_gate" | "residual", Resource | null> {
  const slice = (tensor: Tensor | undefined, window: Window | null) =>
    tensor && window ? { tensor, ...window } : null;
  return {
    c: slice(c.tensor, windows.c),
    bias: bias?.tensor ?? null,
    pre: slice(pre, windows.pre),
    gate: parts.GATE ? gate!.tensor : null,
    item_gate: parts.ITEM_GATE ? gate!.tensor : null,
    residual: slice(residual, windows.residual),
  };
}
