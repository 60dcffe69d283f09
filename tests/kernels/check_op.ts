import { assert, assertEquals } from "@std/assert";
import { Arena } from "../../tensor/arena.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { backward } from "../../tensor/backward.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { testGpus } from "../gpu.ts";
import { centralDifference, directionalDifference, dot, type Nd, nd, randomNd } from "../oracle/nd.ts";

/** An operation with its oracle, at one set of inputs. */
export interface OpCase {
  /** Name in messages, with the sizes. */
  readonly name: string;
  /** Inputs, in the order of both functions. */
  readonly inputs: readonly Nd[];
  /** The operation on the device. */
  readonly op: (inputs: Tensor[]) => Tensor;
  /** The same in float64 on the host. */
  readonly oracle: (inputs: Nd[]) => Nd;
  /** Indices of the inputs whose gradients are checked; all unless given. */
  readonly wrt?: readonly number[];
  /** Largest error, as a share of the largest expected value; 2e-5 unless given. */
  readonly rtol?: number;
  /** Largest error beside that; 1e-6 unless given. */
  readonly atol?: number;
  /** Inputs up to this size are differentiated element by element, larger ones along five directions. */
  readonly exhaustive?: number;
  /** Inputs to put side by side in one buffer, a list for each buffer; none unless given. */
  readonly sideBySide?: readonly (readonly number[])[];
  /** Device; those of {@linkcode testGpus} unless given. */
  readonly gpu?: Gpu;
}

/** Uploads an oracle's array. */
export function upload(gpu: Gpu, x: Nd): Tensor {
  return gpu.tensor(Float32Array.from(x.data), x.shape);
}

/** Asserts that no element is off by more than atol + rtol times the largest expected value. */
export function assertClose(
  what: string,
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  { rtol = 2e-5, atol = 1e-6 }: { rtol?: number; atol?: number } = {},
): void {
  assertEquals(found.length, expected.length, `${what}: sizes`);
  let largest = 0;
  let worst = 0;
  let at = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]!));
    const error = Math.abs(found[i]! - expected[i]!);
    if (error > worst || (Number.isNaN(error) && !Number.isNaN(worst))) [worst, at] = [error, i];
  }
  const bound = atol + rtol * largest;
  assert(
    worst <= bound,
    `${what}: element ${at} is ${found[at]}, not ${expected[at]}: off by ${worst}, allowed ${bound}`,
  );
}

/**
 * Compares the value of an operation with the oracle, its gradients with central differences of the oracle, and the number of
 * live buffers afterwards with that before.
 */
export async function checkOp(test: OpCase): Promise<void> {
  const expected = expectationOf(test);
  for (const gpu of test.gpu ? [test.gpu] : await testGpus()) await checkOn(gpu, test, expected);
}

/** Expected gradient of an input, in full or along directions. */
interface Slopes {
  readonly what: string;
  /** Values of a gradient to compare. */
  readonly of: (gradient: Nd) => ArrayLike<number>;
  readonly expected: ArrayLike<number>;
  /** Whether they are derivatives along directions, whose errors add up. */
  readonly sums: boolean;
}

/** Values and gradients of the oracle. */
interface Expectation {
  readonly value: Nd;
  readonly cotangent: Nd;
  /** Of each input whose gradient is checked. */
  readonly slopes: ReadonlyMap<number, Slopes>;
}

function expectationOf(
  { inputs, oracle, wrt = inputs.keys().toArray(), exhaustive = 300 }: OpCase,
): Expectation {
  const all = [...inputs];
  const value = oracle(all);
  const cotangent = randomNd(value.shape, 7919);
  const slopes = new Map(wrt.map((i): [number, Slopes] => {
    if (all[i]!.data.length <= exhaustive) {
      const { data } = centralDifference(oracle, all, i, cotangent);
      return [i, {
        what: `gradient of input ${i}`,
        of: (gradient) => gradient.data,
        expected: data,
        sums: false,
      }];
    }
    const directions = Array.from({ length: 5 }, (_, seed) => {
      const direction = randomNd(all[i]!.shape, 104729 + seed);
      return { direction, length: Math.sqrt(dot(direction, direction)) };
    });
    return [i, {
      what: `slope along input ${i}`,
      of: (gradient) => directions.map(({ direction, length }) => dot(gradient, direction) / length),
      expected: directions.map(({ direction, length }) => {
        return directionalDifference(oracle, all, i, cotangent, direction) / length;
      }),
      sums: true,
    }];
  }));
  return { value, cotangent, slopes };
}

async function checkOn(gpu: Gpu, test: OpCase, { value, cotangent, slopes }: Expectation): Promise<void> {
  const { name, op, inputs, rtol = 2e-5, atol = 1e-6 } = test;
  const liveBefore = gpu.pool.live;
  const tensors = inputs.map((input) => upload(gpu, input));
  for (const indices of test.sideBySide ?? []) {
    const arena = new Arena(gpu, indices.map((i) => inputs[i]!.shape));
    arena.adopt(indices.map((i) => tensors[i]!));
    arena.dispose();
  }
  for (const i of slopes.keys()) tensors[i]!.requiresGrad = true;
  const { y, grads } = gpu.scope(() => {
    const y = op(tensors);
    assertEquals(y.shape, value.shape, `${name}: shape`);
    if (slopes.size === 0) return { y, grads: new Map<Tensor, Tensor>() };
    return { y, grads: backward(y, { gradient: upload(gpu, cotangent) }) };
  });
  assertClose(`${name}: value`, await y.read(), value.data, { rtol, atol });
  for (const [i, { what, of, expected, sums }] of slopes) {
    const grad = grads.get(tensors[i]!);
    assert(grad, `${name}: input ${i} has no gradient`);
    const found = nd(grad.shape, await grad.read());
    const largest = found.data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    assert(Number.isFinite(largest), `${name}: ${what}: an element is not finite`);
    // Along a random direction errors add up as in a random walk: to a few times what one element may have.
    const bound = sums ? { rtol: 0, atol: 4 * (atol + rtol * largest) } : { rtol, atol };
    assertClose(`${name}: ${what}`, of(found), expected, bound);
  }
  for (const tensor of [y, ...grads.values(), ...tensors]) tensor.dispose();
  assertEquals(gpu.pool.live, liveBefore, `${name}: live buffers`);
}
