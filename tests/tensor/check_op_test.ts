// checkOp is itself tested: it must refuse operations that are wrong in one way each.
import { assertRejects } from "@std/assert";
import { scale } from "../../kernels/scale.ts";
import { noGrad, record } from "../../tensor/tape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { checkOp } from "../kernels/check_op.ts";
import { randomNd } from "../oracle/nd.ts";
import { scale as oracle } from "../oracle/scale.ts";

/** Doubling, with a factor in either direction that should be 2. */
function double(forward: number, backward: number | null) {
  return doubleWith(forward, (dy) => backward === null ? null : scale(dy, backward));
}

/** The same with another pullback. */
function doubleWith(forward: number, pullback: (dy: Tensor) => Tensor | null) {
  return ([x]: Tensor[]): Tensor => {
    const y = noGrad(x!.gpu, () => scale(x!, forward));
    record("double", [x!], [y], ([dy]) => [pullback(dy!)]);
    return y;
  };
}

/** Multiplies by 2, and replaces the last element but one. */
function doubleWithOne(value: number) {
  return (dy: Tensor): Tensor => {
    const { gpu } = dy;
    const dx = scale(dy, 2);
    gpu.copy(gpu.tensor([value]), new Tensor(gpu, dx.storage, [1], "f32", dx.size - 2));
    return dx;
  };
}

const check = (n: number, op: (inputs: Tensor[]) => Tensor) =>
  checkOp({ name: "double", inputs: [randomNd([n], 1)], op, oracle: ([x]) => oracle(x!, 2) });

// Differentiated by element, and along directions, where a small error is harder to see.
for (const [n, nearly] of [[65, 2.0002], [1000, 2.01]] as const) {
  const gradient = n > 300 ? "double: slope along input 0" : "double: gradient of input 0";

  Deno.test(`checkOp accepts a right operation of ${n} elements`, () => check(n, double(2, 2)));

  Deno.test(`checkOp refuses a wrong value of ${n} elements`, async () => {
    await assertRejects(() => check(n, double(2.0002, 2)), Error, "double: value: element");
  });

  Deno.test(`checkOp refuses a wrong pullback of ${n} elements`, async () => {
    for (const factor of [nearly, -2, 0]) {
      await assertRejects(() => check(n, double(2, factor)), Error, gradient);
    }
    for (const value of [NaN, Infinity, 20]) {
      await assertRejects(() => check(n, doubleWith(2, doubleWithOne(value))), Error, gradient);
    }
    await assertRejects(() => check(n, double(2, null)), Error, "double: input 0 has no gradient");
  });
}

Deno.test("checkOp refuses an operation that keeps a buffer", async () => {
  await assertRejects(
    () =>
      check(65, ([x]) => {
        x!.gpu.keep(x!.gpu.zeros([3]));
        return double(2, 2)([x!]);
      }),
    Error,
    "double: live buffers",
  );
});
