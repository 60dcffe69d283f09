import { assertEquals } from "@std/assert";
import { sumItems } from "../../../kernels/internal/reduce_frames.ts";
import { fill } from "../../../tensor/fill.ts";
import { emptyBatch, stridedBatchOf } from "../../../tensor/strided_batch.ts";
import { Tensor } from "../../../tensor/tensor.ts";
import { testGpus } from "../../gpu.ts";
import { randomNd } from "../../oracle/nd.ts";
import { sumRows as oracle } from "../../oracle/sum_rows.ts";
import { assertClose, upload } from "../check_op.ts";
import { narrowGpu } from "../narrow.ts";

Deno.test("sums of the items of a strided batch, written to a strided batch", async () => {
  for (const gpu of [...await testGpus(), await narrowGpu()]) {
    for (const [rows, columns] of [[0, 3], [1, 4], [65, 3], [70, 64], [1100, 5], [2100, 4]] as const) {
      const images = [1, 2, 3].map((seed) => randomNd([rows, columns], seed));
      const xs = emptyBatch(gpu, 3, [rows + 7, columns]); // a gap behind each
      const ys = emptyBatch(gpu, 3, [columns + 70]);
      images.forEach((image, i) => {
        using from = upload(gpu, image);
        using to = new Tensor(gpu, xs[i]!.storage, image.shape, "f32", xs[i]!.offset);
        gpu.copy(from, to);
        using sevens = fill(gpu, [columns + 70], 7);
        gpu.copy(sevens, ys[i]!);
      });
      const [x, y] = [stridedBatchOf(xs)!, stridedBatchOf(ys)!];
      sumItems(x, [3, rows, columns], y);
      for (const [i, image] of images.entries()) {
        const found = await ys[i]!.read();
        assertClose(`sums ${i} of ${rows}x${columns}`, found.subarray(0, columns), oracle(image).data);
        assertEquals(found.subarray(columns).every((value) => value === 7), true, "elements between");
      }
      for (const tensor of [...xs, ...ys, x.span, y.span]) tensor.dispose();
    }
  }
});
