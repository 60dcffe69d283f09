import { alignOf } from "../tensor/align.ts";
import type { Resource } from "../tensor/bind_groups.ts";
import type { Gemm, Vector } from "./gemm.ts";
import { sliceOf, writtenRange } from "./gemm_ranges.ts";

/** Fields of `Params` that say where an epilogue reads and writes. */
export type EpilogueParams = Record<
  "c_base" | "bias_base" | "bias_z2" | "gate_base" | "gate_z2" | "gate_n",
  number
>;

/** Bindings, constants and fields of `Params` that write a product with its epilogue. */
export interface Epilogue {
  /** `c`, `bias`, `pre`, `gate` and `residual`; null where absent. */
  readonly bind: Record<"c" | "bias" | "pre" | "gate" | "residual", Resource | null>;
  /** Which parts there are. */
  readonly constants: Record<"ACCUMULATE" | "BIAS" | "PRE" | "GELU" | "GATE" | "RESIDUAL", boolean>;
  /** Their addresses. */
  readonly params: EpilogueParams;
}

/** Reads the epilogue of a product for the shaders that do it. */
export function epilogueOf(problem: Gemm): Epilogue {
  const { c, bias, pre, gate, residual } = problem;
  const range = writtenRange(problem);
  const at = c.offset ?? 0;
  // One address finds all three, so all start where C does, whose elements may be shorter.
  const align = alignOf(c.tensor.dtype);
  const { slice, base } = sliceOf(c.tensor, range, at);
  const vector = (v: Vector | undefined) => ({
    resource: v?.tensor ?? null,
    base: v?.offset ?? 0,
    z2: v?.z2 ?? 0,
    n: v?.n ?? 1,
  });
  const biases = vector(bias);
  const gates = vector(gate);
  return {
    bind: {
      c: slice,
      bias: biases.resource,
      gate: gates.resource,
      pre: pre ? sliceOf(pre, range, at, align).slice : null,
      residual: residual ? sliceOf(residual, range, at, align).slice : null,
    },
    constants: {
      ACCUMULATE: problem.accumulate ?? false,
      BIAS: !!bias,
      PRE: !!pre,
      GELU: problem.gelu ?? false,
      GATE: !!gate,
      RESIDUAL: !!residual,
    },
    params: {
      c_base: base,
      bias_base: biases.base,
      bias_z2: biases.z2,
      gate_base: gates.base,
      gate_z2: gates.z2,
      gate_n: gates.n,
    },
  };
}
