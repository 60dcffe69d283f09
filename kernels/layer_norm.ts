import index from "../tensor/_index.wgsl" with { type: "text" };
import type { Gpu } from "../tensor/gpu.ts";
import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { RowWindow } from "../tensor/binding_windows.ts";
import { ofShape, ofType, sameDevice } from "./internal/checks.ts";
import { overLanes } from "./internal/over_lanes.ts";
import source from "./layer_norm.wgsl" with { type: "text" };
import { sumItems } from "./internal/reduce_frames.ts";
import { emptyBatch, gradientBatch, stridedBatchOf } from "../tensor/strided_batch.ts";
import { runRows, wideKernel } from "../tensor/rows.ts";

const kernels = wideKernel("layer_norm", source, [overLanes, index]);

/** Rows of a partial sum of the gradients of weight and bias. */
const BLOCK = 64;

/** Options of {@linkcode layerNorm}. */
export interface LayerNormOptions {
  /** Added to the variance; 1e-5 unless given. */
  readonly eps?: number;
  /** Gates of the channels, [C]: channels whose gate is not above 0 are ignored. They get no gradient here. */
  readonly open?: Tensor | null;
}

/**
 * Invocations that share a row. On a software adapter, barriers cost more than they save: at 512 by 768 one invocation takes
 * 1.6 ms and 64 take 7.3 (llvmpipe, 2 cores); at 512 by 3072 eight take 7.9, one takes 13.
 */
const lanesOf = (gpu: Gpu, columns: number): number => gpu.software ? (columns <= 512 ? 1 : 8) : 64;

/**
 * Layer norm over the last dimension: y = (x − mean)/√(variance + eps)·w + b, with the biased variance
 * (Ba, Kiros and Hinton 2016, arXiv 1607.06450). With gates, mean and variance are those of the open channels alone, as
 * after surgery; the output of a closed channel is 0, and so is every gradient through it.
 *
 * @param x Rows, [..., C].
 * @param w Weight, [C].
 * @param b Bias, [C].
 * @returns The shape of x.
 * @throws {TypeError} If w, b and the gates are not [C], or if a tensor is not f32.
 * @example
 * ```ts
 * import { layerNorm, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const y = layerNorm(gpu.tensor([1, 3], [1, 2]), gpu.tensor([1, 1]), gpu.tensor([0, 0])); // [[-1, 1]]
 * console.log(await y.read());
 * ```
 */
export function layerNorm(x: Tensor, w: Tensor, b: Tensor, options: LayerNormOptions = {}): Tensor {
  const { eps = 1e-5, open = null } = options;
  const channels = check(x, w, b, open);
  const { gpu } = x;
  const { kernel, width } = kernels.pick(channels);
  const columns = channels / width;
  const lanes = lanesOf(gpu, columns);
  const count = x.size / channels;
  const params = ({ row, rows }: RowWindow) => ({ rows, columns, channels, first: row / BLOCK, eps, one: 1 });
  const perRow = {
    params,
    constants: { LANES: lanes, GATED: open !== null },
    workgroups: ({ rows }: RowWindow) => Math.ceil(rows * lanes / 64),
  };

  const y = gpu.empty(x.shape);
  const mean = gpu.empty([count]);
  const rstd = gpu.empty([count]);
  runRows(gpu, kernel, count, {
    entry: "forward",
    rows: { x, y, mean, rstd },
    whole: { w, b, open },
    ...perRow,
  });
  record("layerNorm", [x, w, b], [y], ([dy], [needsX, needsW, needsB]) => {
    const read = { x, dy: dy!, means: mean, rstds: rstd };
    const dx = needsX ? gpu.empty(x.shape) : null;
    if (dx) {
      runRows(gpu, kernel, count, {
        entry: "backward",
        rows: { ...read, dx },
        whole: { w, open },
        ...perRow,
      });
    }
    if (!needsW && !needsB) return [dx, null, null];
    // Sums over blocks of rows, then over the blocks; weight and bias at once, as a strided batch.
    const blocks = Math.ceil(count / BLOCK);
    const parts = emptyBatch(gpu, 2, [blocks, channels]);
    runRows(gpu, kernel, count, {
      entry: "weights",
      rows: read,
      whole: { dw: parts[0]!, db: parts[1]!, open },
      params,
      constants: { GATED: open !== null },
      workgroups: ({ rows }) => Math.ceil(Math.ceil(rows / BLOCK) * columns / 64),
    });
    const grads = gradientBatch([w, b]);
    const [from, to] = [stridedBatchOf(parts)!, stridedBatchOf(grads)!];
    sumItems(from, [2, blocks, channels], to);
    for (const tensor of [...parts, from.span, to.span]) tensor.dispose();
    return [dx, ...grads];
  }, [mean, rstd]);
  return y;
}

/** Returns the number of channels. */
function check(x: Tensor, w: Tensor, b: Tensor, open: Tensor | null): number {
  const doing = "apply a layer norm";
  sameDevice(doing, x, w, b, open);
  ofType(doing, "x", x, "f32");
  const channels = x.shape.at(-1) ?? 1;
  for (const [name, tensor] of Object.entries({ w, b, open })) {
    if (!tensor) continue;
    ofShape(doing, name, tensor, [channels]);
    ofType(doing, name, tensor, "f32");
  }
  return channels;
}
