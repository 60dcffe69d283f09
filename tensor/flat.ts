import type { Gpu } from "./gpu.ts";
import type { Kernel } from "./kernel.ts";
import type { Constants } from "./pipelines.ts";
import type { Tensor } from "./tensor.ts";
import { flatWindows } from "./windows.ts";

/** An elementwise pass. */
export interface FlatPass {
  /** Entry point; `main` unless given. */
  readonly entry?: string;
  /** Tensors of `n` elements by variable name. */
  readonly bind: Record<string, Tensor>;
  /** Fields of `Params` beside `n`, the number of elements. */
  readonly params?: Record<string, number>;
  /** Values of `override` constants. */
  readonly constants?: Constants;
}

/**
 * Runs a shader whose invocation i, of workgroups of 256, works on element i of every tensor, a window of the
 * tensors at a time where they exceed a binding.
 */
export function runFlat(gpu: Gpu, kernel: Kernel, n: number, pass: FlatPass): void {
  for (const window of flatWindows(gpu, n)) {
    const slices = Object.entries(pass.bind).map(([name, tensor]) => [name, { tensor, ...window }]);
    gpu.run(kernel, {
      entry: pass.entry ?? "main",
      bind: Object.fromEntries(slices),
      params: { n: window.length, ...pass.params },
      constants: pass.constants ?? {},
      workgroups: Math.ceil(window.length / 256),
    });
  }
}
