import index from "../tensor/_index.wgsl" with { type: "text" };
import { Kernel } from "../tensor/kernel.ts";
import { runRows } from "../tensor/rows.ts";
import { noGrad, record, recording } from "../tensor/tape.ts";
import { showShape, type Tensor } from "../tensor/tensor.ts";
import source from "./attention.wgsl" with { type: "text" };
import { ofFloats, ofRank, ofShape, sameDevice } from "./checks.ts";
import { dropout, type DropoutOptions } from "./dropout.ts";
import { gemm } from "./gemm.ts";
import { reduceRows } from "./reduce_rows.ts";
import { scale as scaled } from "./scale.ts";

const kernel = new Kernel("attention", source, [index]);

/** Options of {@linkcode attention}. */
export interface AttentionOptions {
  /** Number of heads H. */
  readonly heads: number;
  /** Valid frames of each clip: keys beyond them are not attended to. All frames unless given. */
  readonly lengths?: readonly number[] | null;
  /** Gate of each head, [H]; it multiplies the head's context. */
  readonly gate?: Tensor | null;
  /** Added to the scaled scores, [H, T, T], or [B, H, T, T]. */
  readonly bias?: Tensor | null;
  /** Drops attention weights; none unless given. */
  readonly dropout?: DropoutOptions | null;
  /** Factor of the scores; D^-0.5 unless given. */
  readonly scale?: number;
}

interface Sizes {
  readonly batch: number;
  readonly frames: number;
  readonly heads: number;
  readonly width: number;
}

/**
 * Multi-head softmax attention, softmax(scale·q·kᵀ + bias)·v for each head, times the head's gate
 * (Vaswani et al. 2017, arXiv 1706.03762).
 *
 * @param q Queries, [B, T, H·D].
 * @param k Keys, of the same shape.
 * @param v Values, of the same shape.
 * @returns Contexts of all heads side by side, [B, T, H·D]. Queries beyond a clip's length are computed too.
 * @throws {TypeError} If shapes do not match.
 * @throws {RangeError} If a length is no whole number from 0 to T.
 * @example
 * ```ts
 * import { attention, requestGpu } from "../mod.ts";
 *
 * const gpu = await requestGpu();
 * const q = gpu.zeros([2, 2, 2]); // equal scores, equal weights
 * const v = gpu.tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]);
 * const y = attention(q, q, v, { heads: 2, lengths: [2, 1], gate: gpu.tensor([1, 0.5]) });
 * console.log(await y.read()); // [[[2, 1.5], [2, 1.5]], [[5, 3], [5, 3]]]
 * gpu.destroy();
 * ```
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
  const sizes = check(q, k, v, options);
  const { batch, frames, heads, width } = sizes;
  const { gate = null, bias = null, dropout: drops = null, scale = width ** -0.5 } = options;
  const { gpu } = q;
  const from = [q, k, v, gate, bias];
  const lengths = options.lengths ? gpu.tensor(Int32Array.from(options.lengths)) : null;
  const columns = heads * width;
  const image = (tensor: Tensor, alongK: boolean) => ({
    tensor,
    height: frames,
    row: columns,
    alongK,
    z1: frames * columns,
    z2: width,
  });
  // Rows of scores are padded to a multiple of four, so that a product can write four columns at a time; not where
  // their gradient is a bias's.
  const row = bias ? frames : Math.ceil(frames / 4) * 4;
  const square = (tensor: Tensor, alongK: boolean) => ({
    tensor,
    height: frames,
    row,
    alongK,
    z1: heads * frames * row,
    z2: frames * row,
    padded: true,
  });
  const scores = { m: frames, n: frames, k: [1, width], batch: [batch, heads] } as const;
  const contexts = { m: frames, n: width, k: [1, frames], batch: [batch, heads] } as const;
  const place = ({ alongK: _alongK, height: _height, ...c }: ReturnType<typeof image>) => c;

  const p = gpu.empty([batch, heads, frames, row]);
  gemm(gpu, {
    ...scores,
    a: image(q, true),
    b: image(k, true),
    c: place(square(p, true)),
  });
  softmax("forward", sizes, { p }, { scale, lengths, bias });
  const kept = drops ? noGrad(gpu, () => dropout(p, drops)) : p.view();
  const y = gpu.empty(q.shape);
  const context = gate && recording(from) ? gpu.empty(q.shape) : null;
  gemm(gpu, {
    ...contexts,
    a: square(kept, true),
    b: image(v, false),
    c: place(image(y, true)),
    ...(gate && { gate: { tensor: gate, z2: 1, n: 0 } }),
    ...(context && { pre: context }),
  });

  const saved = [p, kept, lengths, context].filter((tensor) => tensor !== null);
  record("attention", from, [y], ([dy], [needsQ, needsK, needsV, needsGate, needsBias]) => {
    const dgate = context && needsGate ? gateGradient(sizes, dy!, context) : null;
    const dc = gate ? gateHeads(sizes, dy!, gate) : dy!.view();
    const product = (parts: Omit<Parameters<typeof gemm>[1], "m" | "n" | "k" | "batch" | "c">) => {
      const d = gpu.empty(q.shape);
      gemm(gpu, { ...contexts, ...parts, c: place(image(d, true)) });
      return d;
    };
    const dv = needsV ? product({ a: square(kept, false), b: image(dc, false) }) : null;
    let dq: Tensor | null = null;
    let dk: Tensor | null = null;
    let dbias: Tensor | null = null;
    if (needsQ || needsK || needsBias) {
      const dkept = gpu.empty(p.shape);
      gemm(gpu, { ...scores, a: image(dc, true), b: image(v, true), c: place(square(dkept, true)) });
      const dp = drops ? dropout(dkept, drops) : dkept.view();
      dkept.dispose();
      // The bias wants the gradient before the factor of the scores.
      softmax("backward", sizes, { probability: p, dp }, { scale: needsBias ? 1 : scale, lengths });
      if (needsBias) dbias = bias!.shape.length === 4 ? dp.view() : sumClips(dp, bias!.shape);
      const ds = needsBias ? scaled(dp, scale) : dp.view();
      dp.dispose();
      dq = needsQ ? product({ a: square(ds, true), b: image(k, false) }) : null;
      dk = needsK ? product({ a: square(ds, false), b: image(q, false) }) : null;
      ds.dispose();
    }
    dc.dispose();
    return [dq, dk, dv, dgate, dbias];
  }, saved);
  return y;
}

/** Runs the softmax or its pullback over all rows. */
function softmax(
  entry: "forward" | "backward",
  { batch, frames, heads, width }: Sizes,
  squares: Record<string, Tensor>,
  { scale, lengths, bias = null }: { scale: number; lengths: Tensor | null; bias?: Tensor | null },
): void {
  const { gpu, shape } = Object.values(squares)[0]!;
  const lanes = gpu.software ? 1 : 64;
  const own = bias?.shape.length === 4 || batch === 1; // a bias of each clip, whose rows are those of the scores
  runRows(gpu, kernel, batch * heads * frames, {
    entry,
    rows: { ...squares, ...(own && { bias }) },
    whole: { lengths, ...(!own && { bias }) },
    params: ({ row, rows }) => ({
      n: rows,
      first: row,
      frames,
      row: shape.at(-1)!,
      heads,
      width,
      scale,
      own_bias: Number(own),
    }),
    constants: { LANES: lanes, LENGTHS: lengths !== null, BIAS: bias !== null },
    workgroups: ({ rows }) => Math.ceil(rows * lanes / 64),
  });
}

function gateHeads(sizes: Sizes, dy: Tensor, gate: Tensor): Tensor {
  const dc = dy.gpu.empty(dy.shape);
  runRows(dy.gpu, kernel, dy.size, {
    entry: "gate_heads",
    rows: { dy, dc },
    whole: { gate },
    params: ({ row, rows }) => ({ ...elements(sizes), n: rows, first: row }),
    workgroups: ({ rows }) => Math.ceil(rows / 256),
  });
  return dc;
}

/** `Params` of the passes that know no rows of scores. */
const elements = ({ frames, heads, width }: Sizes) => ({
  first: 0,
  frames,
  row: frames,
  heads,
  width,
  scale: 1,
  own_bias: 0,
});

function gateGradient(sizes: Sizes, dy: Tensor, context: Tensor): Tensor {
  const { gpu } = dy;
  const { heads, width } = sizes;
  const columns = reduceRows(dy, heads * width, context);
  const dgate = gpu.empty([heads]);
  gpu.run(kernel, {
    entry: "sum_heads",
    bind: { columns, dgate },
    params: { ...elements(sizes), n: heads },
    workgroups: Math.ceil(heads / 64),
  });
  columns.dispose();
  return dgate;
}

function sumClips(dp: Tensor, shape: readonly number[]): Tensor {
  const columns = shape.reduce((size, n) => size * n, 1);
  const sum = reduceRows(dp, columns);
  const shaped = sum.view(shape);
  sum.dispose();
  return shaped;
}

function check(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Sizes {
  const { heads, lengths, gate = null, bias = null } = options;
  sameDevice("attend", q, k, v, gate, bias);
  ofFloats("attend", { q, k, v, gate, bias });
  ofRank("attend", "q", q, 3);
  ofShape("attend", "k", k, q.shape);
  ofShape("attend", "v", v, q.shape);
  const [batch, frames, columns] = q.shape as [number, number, number];
  const width = columns / heads;
  if (!Number.isInteger(width)) {
    throw new TypeError(
      `Cannot attend as the columns must split into ${heads} heads: q is ${showShape(q.shape)}`,
    );
  }
  if (lengths) {
    if (lengths.length !== batch) {
      throw new TypeError(
        `Cannot attend as there must be one length per clip: ${lengths.length} for ${batch}`,
      );
    }
    const wrong = lengths.find((n) => !Number.isInteger(n) || n < 0 || n > frames);
    if (wrong !== undefined) {
      throw new RangeError(`Cannot attend as lengths must be from 0 to ${frames}: found ${wrong}`);
    }
  }
  if (gate) ofShape("attend", "gate", gate, [heads]);
  if (bias) {
    const each = [heads, frames, frames];
    ofShape("attend", "bias", bias, bias.shape.length === 4 ? [batch, ...each] : each);
  }
  return { batch, frames, heads, width };
}
