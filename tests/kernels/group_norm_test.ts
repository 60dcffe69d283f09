import { assertThrows } from "@std/assert";
import { groupNorm } from "../../kernels/group_norm.ts";
import { testGpu } from "../gpu.ts";
import { gate as oracleGate } from "../oracle/gate.ts";
import { gelu as oracleGelu } from "../oracle/gelu.ts";
import { groupNorm as oracle } from "../oracle/group_norm.ts";
import { nd, randomNd } from "../oracle/nd.ts";
import { assertClose, checkOp, type OpCase, upload } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

const of = (shape: number[], eps = 1e-5, lengths?: number[]): OpCase => ({
  name: `group_norm [${shape}] ${eps} ${lengths}`,
  inputs: [randomNd(shape, 1, 3), randomNd(shape.slice(2), 2), randomNd(shape.slice(2), 3)],
  op: ([x, w, b]) => groupNorm(x!, w!, b!, { eps, ...(lengths && { lengths }) }),
  oracle: ([x, w, b]) => oracle(x!, w!, b!, { eps, ...(lengths && { lengths }) }),
});

Deno.test("group_norm", async () => {
  for (const n of [1, 63, 64, 65, 257]) {
    await checkOp(of([2, n, 3]));
    await checkOp(of([1, n, 4]));
    await checkOp(of([3, 5, n]));
  }
  await checkOp(of([2, 7, 4], 0.5));
});

Deno.test("group_norm over the frames of each utterance", async () => {
  await checkOp(of([3, 130, 3], 1e-5, [130, 1, 67]));
  await checkOp(of([2, 9, 4], 1e-5, [4, 9]));
});

Deno.test("group_norm with GELU and gate", async () => {
  for (const [shape, lengths] of [[[2, 130, 3], [130, 67]], [[3, 9, 4], undefined]] as const) {
    for (const gelu of [false, true]) {
      for (const gated of [false, true]) {
        const norm = of([...shape], 1e-5, lengths && [...lengths]);
        const gate = randomNd(shape.slice(2), 4);
        const options = { gelu, ...(lengths && { lengths }) };
        await checkOp({
          name: `${norm.name} ${gelu} ${gated}`,
          inputs: gated ? [...norm.inputs, gate] : norm.inputs,
          op: ([x, w, b, gate]) => groupNorm(x!, w!, b!, { ...options, gate: gate ?? null }),
          oracle: ([x, w, b, gate]) => {
            let y = oracle(x!, w!, b!, options);
            if (gelu) y = oracleGelu(y);
            return gate ? oracleGate(y, gate) : y;
          },
        });
      }
    }
  }
});

Deno.test("group_norm, past 65,535 frames", async () => {
  await checkOp(of([1, 66000, 1]));
});

Deno.test("group_norm of values far from 0", async () => {
  const gpu = await testGpu();
  const x = randomNd([1, 5000, 4], 1);
  x.data.forEach((v, i) => x.data[i] = Math.fround(v + 1000));
  const [w, b] = [nd([4], [1, 1, 1, 1]), nd([4])];
  const y = gpu.scope(() => groupNorm(upload(gpu, x), upload(gpu, w), upload(gpu, b)));
  // At 1000 the mean is rounded by up to 2^-15; this error is subtracted, too.
  assertClose("group_norm", await y.read(), oracle(x, w, b).data, { rtol: 0, atol: 5e-6 });
  y.dispose();
});

Deno.test("group_norm, more than a binding holds", async () => {
  const gpu = await narrowGpu();
  await checkOp({ ...of([5, 150, 33]), gpu });
  await checkOp({ ...of([2, 700, 36]), gpu });
  await checkOp({ ...of([3, 2, 401]), gpu }); // more channels than a dispatch holds unfolded
});

Deno.test("group_norm refuses what does not fit", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    const [x, two, three] = [gpu.zeros([1, 4, 3]), gpu.zeros([2]), gpu.zeros([3])];
    const message = (name: string) => `Cannot apply a group norm as ${name} must be [3]: found [2]`;
    assertThrows(() => groupNorm(x, two, three), TypeError, message("w"));
    assertThrows(() => groupNorm(x, three, two), TypeError, message("b"));
    assertThrows(
      () => groupNorm(gpu.zeros([4, 3]), three, three),
      TypeError,
      "Cannot apply a group norm as x must have 3 dimensions: found [4, 3]",
    );
    assertThrows(
      () => groupNorm(x, three, three, { lengths: [5] }),
      RangeError,
      "Cannot apply a group norm as lengths must be whole numbers from 0 to 4: lengths[0] is 5",
    );
    assertThrows(
      () => groupNorm(gpu.zeros([1, 4, 3], "i32"), three, three),
      TypeError,
      "Cannot apply a group norm as x must be f32: found i32",
    );
  });
});
