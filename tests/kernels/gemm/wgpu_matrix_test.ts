// GEMM, transposes and strides against wgpu-matrix, in float64: a library by others, for 3×3 and 4×4 matrices. Its matrices are
// column-major, and a column of either kind takes four elements, the last of which is padding in a 3×3 matrix.
import { assertEquals } from "@std/assert";
import { mat3d, mat4d } from "npm:wgpu-matrix@3.4.2";
import { GEMM_VARIANTS } from "../../../kernels/gemm/choice.ts";
import { gemm } from "../../../kernels/gemm/gemm.ts";
import { matmul } from "../../../kernels/matmul.ts";
import { backward } from "../../../tensor/backward.ts";
import { variants } from "../../full.ts";
import { testGpu } from "../../gpu.ts";
import { randomNd } from "../../oracle/nd.ts";
import { assertClose } from "../check_op.ts";

/** What the tests use of mat3d and mat4d. */
interface Library {
  multiply(a: Float64Array, b: Float64Array): Float64Array;
  transpose(a: Float64Array): Float64Array;
}

const libraries: readonly (readonly [3 | 4, Library])[] = [[3, mat3d], [4, mat4d]];

/** Elements between two columns, in matrices of either size. */
const COLUMN = 4;

/** A matrix of random elements; its padding is 0, as the library leaves it. */
function randomMatrix(size: 3 | 4, seed: number): Float64Array {
  const { data } = randomNd([size * COLUMN], seed);
  return Float64Array.from(data, (value, at) => at % COLUMN < size ? Math.fround(value) : 0);
}

/** The matrices at equal distances, with `around` in padding and gaps. */
function strided(matrices: readonly Float64Array[], size: 3 | 4, distance: number, around: number) {
  const all = new Float32Array(matrices.length * distance + 4).fill(around);
  for (const [i, matrix] of matrices.entries()) {
    for (const [at, value] of matrix.entries()) if (at % COLUMN < size) all[i * distance + at] = value;
  }
  return all;
}

for (const variant of variants(GEMM_VARIANTS, "texture", "tile-32")) {
  Deno.test(`GEMM of 3×3 and 4×4 matrices equals wgpu-matrix, in every layout and by strides, ${variant}`, async () => {
    const gpu = await testGpu({ gemm: variant });
    for (const [size, library] of libraries) {
      const [z1, z2] = [2, 3];
      const lefts = Array.from({ length: z1 * z2 }, (_, i) => randomMatrix(size, 1 + i));
      const rights = Array.from({ length: z2 }, (_, i) => randomMatrix(size, 101 + i)); // shared by both z1
      const products = lefts.map((left, i) => library.multiply(left, rights[i % z2]!));
      for (const [transposeLeft, transposeRight] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
        // Distances of 16 and 20 elements keep rows 16-byte aligned; one of 17 does not, and takes a kernel more to compile.
        for (const distance of transposeLeft || transposeRight ? [16, 20] : [16, 17]) {
          const place = (matrices: readonly Float64Array[], transposed: number) => {
            const stored = transposed ? matrices.map((matrix) => library.transpose(matrix)) : matrices;
            return gpu.tensor(strided(stored, size, distance, NaN));
          };
          using left = place(lefts, transposeLeft!);
          using right = place(rights, transposeRight!);
          using c = gpu.tensor(new Float32Array(z1 * z2 * distance + 4).fill(7));
          // A column-major C is Cᵀ in rows: (A·B)ᵀ = Bᵀ·Aᵀ. The columns of B run along k, those of A do not.
          const matrix = { height: size, row: COLUMN };
          gemm(gpu, {
            m: size,
            n: size,
            k: [1, size],
            batch: [z1, z2],
            a: { tensor: right, ...matrix, alongK: !transposeRight, z2Stride: distance },
            b: {
              tensor: left,
              ...matrix,
              alongK: !!transposeLeft,
              z1Stride: z2 * distance,
              z2Stride: distance,
            },
            c: { tensor: c, row: COLUMN, z1Stride: z2 * distance, z2Stride: distance },
          });
          const name = `${size}×${size}, transposes ${transposeLeft} ${transposeRight}, distance ${distance}`;
          assertClose(name, await c.read(), strided(products, size, distance, 7));
        }
      }
    }
  });

  Deno.test(`matmul and its gradients equal wgpu-matrix, ${variant}`, async () => {
    const gpu = await testGpu({ gemm: variant });
    const [a, b, dy] = [1, 2, 3].map((seed) => randomMatrix(4, seed)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    // A column-major matrix is its transpose in rows.
    const upload = (matrix: Float64Array) => gpu.tensor(Float32Array.from(mat4d.transpose(matrix)), [4, 4]);
    const rows = (matrix: Float64Array) => mat4d.transpose(matrix);
    for (const transposeB of [false, true]) {
      const { y, da, db } = gpu.scope(() => {
        const [left, right] = [upload(a), upload(b)];
        left.requiresGrad = right.requiresGrad = true;
        const y = matmul(left, right, { transposeB });
        const gradients = backward(y, { gradient: upload(dy) });
        return { y, da: gradients.get(left)!, db: gradients.get(right)! };
      });
      const right = transposeB ? mat4d.transpose(b) : b;
      const dRight = mat4d.multiply(mat4d.transpose(a), dy);
      const expected = [
        mat4d.multiply(a, right),
        mat4d.multiply(dy, mat4d.transpose(right)),
        transposeB ? mat4d.transpose(dRight) : dRight,
      ];
      for (const [i, tensor] of [y, da, db].entries()) {
        assertClose(`result ${i}, transposeB ${transposeB}`, await tensor.read(), rows(expected[i]!));
        tensor.dispose();
      }
    }
  });
}

Deno.test("wgpu-matrix multiplies column-major matrices, as these tests assume", () => {
  const a = mat3d.create(1, 2, 3, 4, 5, 6, 7, 8, 9); // columns (1 2 3), (4 5 6), (7 8 9)
  const e = mat3d.create(0, 1, 0, 0, 0, 1, 1, 0, 0); // its first column takes a's second one
  assertEquals([...mat3d.multiply(a, e)].filter((_, i) => i % COLUMN < 3), [4, 5, 6, 7, 8, 9, 1, 2, 3]);
});
