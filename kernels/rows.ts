import type { Gpu, Resource } from "../tensor/gpu.ts";
import type { Kernel } from "../tensor/kernel.ts";
import type { Constants } from "../tensor/pipelines.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type RowWindow, rowWindows } from "../tensor/windows.ts";

/** A pass over rows; numbers one by one are rows of one. */
export interface RowPass {
  /** Entry point; `main` unless given. */
  readonly entry?: string;
  /** Tensors of as many rows as the pass has, of any width, by variable name; null where unused. */
  readonly rows: Record<string, Tensor | null>;
  /** Tensors that every window reads or writes as a whole; null where unused. */
  readonly whole?: Record<string, Tensor | null>;
  /** `Params` of a window. */
  readonly params: (window: RowWindow) => Record<string, number>;
  /** Values of `override` constants. */
  readonly constants?: Constants;
  /** Number of workgroups for a window. */
  readonly workgroups: (window: RowWindow) => number;
}

/** Runs a shader over the rows of its tensors, a window of them at a time where they exceed a binding. */
export function runRows(gpu: Gpu, kernel: Kernel, count: number, pass: RowPass): void {
  if (count === 0) return;
  const widths = Object.entries(pass.rows).map(([name, tensor]) =>
    [name, tensor, tensor ? tensor.size / count : 0] as const
  );
  const widest = Math.max(1, ...widths.map(([, , width]) => width));
  for (const window of rowWindows(gpu, count, widest)) {
    const slices = widths.map(([name, tensor, width]): [string, Resource | null] => [
      name,
      tensor && { tensor, start: window.row * width, length: window.rows * width },
    ]);
    gpu.run(kernel, {
      entry: pass.entry ?? "main",
      bind: { ...Object.fromEntries(slices), ...pass.whole },
      params: pass.params(window),
      constants: pass.constants ?? {},
      workgroups: pass.workgroups(window),
    });
  }
}
