import type { Resource } from "./dispatch.ts";
import type { Gpu } from "./gpu.ts";
import type { Helper, Kernel } from "./kernel.ts";
import type { Constants } from "./pipelines.ts";
import type { Tensor } from "./tensor.ts";
import { TypedKernel } from "./typed_kernel.ts";
import { type RowWindow, rowWindows } from "./binding_windows.ts";

/** A pass of a shader over the rows of tensors. */
export interface RowPass {
  /** Entry point; `main` unless given. */
  readonly entry?: string;
  /** Tensors that are split by rows, all with the same number of rows, of any width, by variable name; null where unused. */
  readonly rows: Record<string, Tensor | null>;
  /** Resources that every window binds whole; null where unused. */
  readonly whole?: Record<string, Resource | null>;
  /** `Params` of a window. */
  readonly params: (window: RowWindow) => Record<string, number>;
  /** Values of `override` constants. */
  readonly constants?: Constants;
  /** Number of workgroups for a window. */
  readonly workgroups: (window: RowWindow) => number;
}

/** Runs a shader over `count` rows, in several dispatches where the rows exceed a binding. */
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

/** A shader in two variants: its type `Number` is f32, or vec4f, which halves the time where rows are multiples of four. */
export interface WideKernel {
  /** Variant for rows of `columns` f32, and the number of f32 in its `Number`, 1 or 4. */
  pick(columns: number): { kernel: Kernel; width: number };
}

/**
 * Makes both variants of a shader that is written for the type `Number`.
 *
 * @param name Stem of its file.
 * @param source WGSL text.
 * @param helpers Texts appended to it.
 */
export function wideKernel(name: string, source: string, helpers: readonly Helper[]): WideKernel {
  const text = new TypedKernel(name, source, helpers);
  const of = (width: 1 | 4) => ({ kernel: text.of({}, width), width });
  const [single, wide] = [of(1), of(4)];
  return { pick: (columns) => columns % 4 === 0 ? wide : single };
}

/** An elementwise pass of a shader, which may use the position of an element in its row. */
export interface EachPass {
  /** Entry point; `main` unless given. */
  readonly entry?: string;
  /** Number of f32 in a row; the pass is one row unless given. */
  readonly columns?: number;
  /** Tensors with one element per element of the pass, by variable name; null where unused. */
  readonly each: Record<string, Tensor | null>;
  /** Resources that are bound whole; null where unused. */
  readonly whole?: Record<string, Resource | null>;
  /**
   * Fields of `Params` beside `n`, the count of `Number`s in a window, and, if the shader has them, `first`, the index of the
   * first of them, and `columns`, the count in a row.
   */
  readonly params?: Record<string, number>;
  /** Values of `override` constants. */
  readonly constants?: Constants;
}

/** Runs a shader over `count` f32; invocation i, of workgroups of 256, computes `Number` i of a window. */
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
