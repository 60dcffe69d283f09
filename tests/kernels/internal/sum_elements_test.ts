// The sum of all elements, by one invocation after another or by workgroups with subgroups, as on a GPU.
import { assertEquals } from "@std/assert";
import { sumElements } from "../../../kernels/internal/sum_elements.ts";
import { testGpu } from "../../gpu.ts";
import { randomNd } from "../../oracle/nd.ts";
import { assertClose } from "../check_op.ts";

for (const subgroups of [false, true]) {
  const options = { gemm: "texture", software: false, subgroups } as const;
  Deno.test(`the sum of all elements, ${subgroups ? "with" : "without"} subgroups`, async () => {
    const devices = [await testGpu(options), await testGpu({ ...options, limits: { bindingBytes: 65536 } })];
    for (const gpu of devices) {
      for (const n of [0, 1, 63, 64, 4096, 4097, 16_384, 16_388, 70_001]) {
        const { data } = randomNd([n], n);
        using x = gpu.tensor(Float32Array.from(data));
        using y = gpu.tensor([7, 8, 9]);
        using sum = sumElements(x);
        assertEquals(sumElements(x, { square: true, y, at: 1 }), y);
        const total = (power: number) => data.reduce((sum, value) => sum + value ** power, 0);
        const bound = { rtol: 1e-6, atol: 1e-5 };
        assertClose(`sum of ${n}`, [...await sum.read()], [total(1)], bound);
        assertClose(`squares of ${n}`, [...await y.read()], [7, total(2), 9], bound);
      }
    }
  });
}
