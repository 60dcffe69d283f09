import type { Resource } from "./dispatch.ts";
import type { Gpu } from "./gpu.ts";
import type { Helper, Kernel } from "./kernel.ts";
import type { Constants } from "./pipelines.ts";
import type { Tensor } from "./tensor.ts";
import { TypedKernel } from "./typed_kernel.ts";
import { type RowWindow, rowWindows } from "./binding_windows.ts";

/** A pass over the rows of its tensors. */
export interface RowPass {
  /** Entry point; `main` unless given. */
  readonly entry?: string;
  /** Tensors of as many rows as the pass has, of any width, by variable name; null where unused. */
  readonly rows: Record<string, Tensor | null>;
  /** What every window reads or writes as a whole; null where unused. */
  readonly whole?: Record<string, Resource | null>;
  /** `Params` of a window. */
  readonly params: (window: RowWindow) => Record<string, number>;
  /** Values of `override` constants. */
  readonly constants?: Constants;
  /** Number of workgroups for a window. */
  readonly workgroups: (window: RowWindow) => number;
}

/** Runs a shader over `count` rows, a window of them at a time where they exceed a binding. */
export function runRows(gpu: Gpu, kernel: Kernel, count: number, pass: RowPass): void {
  if (count === 0) return;
  let widest = 1;
  for (const name in pass.rows) widest = Math.max(widest, (pass.rows[name]?.size ?? 0) / count);
  for (const window of rowWindows(gpu, count, widest)) {
    const bind: Record<string, Resource | null> = { ...pass.whole };
    for (const name in pass.rows) {
      const tensor = pass.rows[name]!;
      const width = tensor ? tensor.size / count : 0;
      bind[name] = tensor && { tensor, start: window.row * width, length: window.rows * width };
    }
    gpu.run(kernel, {
      entry: pass.entry ?? "main",
      bind,
      params: pass.params(window),
      constants: pass.constants ?? {},
      workgroups: pass.workgroups(window),
    });
  }
}

/** A shader for `Number`s of one f32 each, and the same for four, which halves the time where channels allow. */
export interface WideKernel {
  /** Kernel for rows of `columns` f32, and how many of them a `Number` of it holds. */
  pick(columns: number): { kernel: Kernel; width: number };
}

/**
 * Reads a shader that is written for `Number`.
 *
 * @param name Stem of its file.
 * @param helpers Texts appended.
 */
export function wideKernel(name: string, source: string, helpers: readonly Helper[]): WideKernel {
  const text = new TypedKernel(name, source, helpers);
  const of = (width: 1 | 4) => ({ kernel: text.of({}, width), width });
  const [single, wide] = [of(1), of(4)];
  return { pick: (columns) => columns % 4 === 0 ? wide : single };
}

/** An elementwise pass that knows where in its row an element is. */
export interface EachPass {
  /** Entry point; `main` unless given. */
  readonly entry?: string;
  /** f32 of a row; the pass is one row unless given. */
  readonly columns?: number;
  /** Tensors with an element for each of the pass, by variable name; null where unused. */
  readonly each: Record<string, Tensor | null>;
  /** What is bound as a whole; null where unused. */
  readonly whole?: Record<string, Resource | null>;
  /**
   * ParamFields of `Params` beside `n`, the `Number`s of a window, and those that the shader has of `first`, the first of
   * them, and `columns`, those of a row.
   */
  readonly params?: Record<string, number>;
  /** Values of `override` constants. */
  readonly constants?: Constants;
}

/** Runs a shader whose invocation i, of workgroups of 256, works on the window's `Number` i of `count` f32. */
export function runEach(gpu: Gpu, kernels: WideKernel, count: number, pass: EachPass): void {
  const { columns = count } = pass;
  const { kernel, width } = kernels.pick(columns);
  const has = (name: string) => kernel.params.some((field) => field.name === name);
  runRows(gpu, kernel, count, {
    entry: pass.entry ?? "main",
    rows: pass.each,
    whole: pass.whole ?? {},
    params: ({ row, rows }) => ({
      n: rows / width,
      ...(has("first") && { first: row / width }),
      ...(has("columns") && { columns: columns / width }),
      ...pass.params,
    }),
    constants: pass.constants ?? {},
    workgroups: ({ rows }) => Math.ceil(rows / width / 256),
  });
}
