import workgroup from "../../tensor/_index.wgsl" with { type: "text" };
import type { Resource } from "../../tensor/dispatch.ts";
import { showShape } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { rowWindows } from "../../tensor/binding_windows.ts";
import { ofRank, ofType, sameDevice } from "./checks.ts";
import gatherSource from "../gather_rows.wgsl" with { type: "text" };
import { runRows, wideKernel } from "../../tensor/rows.ts";
import scatterSource from "../scatter_rows.wgsl" with { type: "text" };

const gatherKernels = wideKernel("gather_rows", gatherSource, [workgroup]);
const scatterKernels = wideKernel("scatter_rows", scatterSource, [workgroup]);

/** Terms that one invocation sums where the rows are listed; longer lists take passes. */
const TERMS = 64;

/** Rows that one dispatch searches where they are not listed, well below the 65,535 iterations of an invocation. */
const SEARCHED = 8192;

/** Row indices, on the host or on the device (i32, [N]). */
export type RowIndex = readonly number[] | Tensor;

/** Number of indices. @throws {TypeError} If a tensor of indices is not i32 of one dimension. */
export function indexSize(doing: string, x: Tensor, index: RowIndex): number {
  if (!(index instanceof Tensor)) return index.length;
  sameDevice(doing, x, index);
  ofRank(doing, "index", index, 1);
  ofType(doing, "index", index, "i32");
  return index.size;
}

/** @throws {TypeError} If x is not an f32 matrix. @throws {RangeError} If an index on the host is out of range. */
export function checkRows(doing: string, x: Tensor, index: RowIndex, rows: number): void {
  ofRank(doing, "x", x, 2);
  ofType(doing, "x", x, "f32");
  if (index instanceof Tensor) return;
  const wrong = index.findIndex((row) => !(Number.isInteger(row) && row >= 0 && row < rows));
  if (wrong < 0) return;
  throw new RangeError(
    `Cannot ${doing} as indices must be whole numbers below ${rows}: index[${wrong}] is ${index[wrong]}`,
  );
}

/** Gathers rows of x [R, C] to [N, C]. Not recorded on the tape. */
export function gather(x: Tensor, index: RowIndex): Tensor {
  const { gpu } = x;
  const [rows, channels] = x.shape as [number, number];
  const onDevice = index instanceof Tensor ? index.view() : gpu.tensor(Int32Array.from(index));
  const { kernel, width } = gatherKernels.pick(channels);
  const columns = channels / width;
  const shape = [onDevice.size, channels];
  const y = rows === 0 ? gpu.zeros(shape) : gpu.empty(shape);
  for (const window of rowWindows(gpu, rows, channels)) {
    runRows(gpu, kernel, onDevice.size, {
      entry: "forward",
      rows: { index: onDevice, y },
      whole: { x: slice(x, window.row, window.rows) },
      params: ({ rows }) => ({ n: rows * columns, columns, first: window.row, rows: window.rows }),
      workgroups: ({ rows }) => Math.ceil(rows * columns / 256),
    });
  }
  onDevice.dispose();
  return y;
}

/** Scatters rows of x [N, C] to [rows, C] and adds rows with equal indices. Not recorded on the tape. */
export function scatter(x: Tensor, index: RowIndex, rows: number): Tensor {
  const { gpu } = x;
  const [count, channels] = x.shape as [number, number];
  if (count === 0) return gpu.zeros([rows, channels]);
  const y = gpu.empty([rows, channels]);
  for (const window of rowWindows(gpu, count, channels)) {
    const end = window.row + window.rows;
    if (!(index instanceof Tensor)) {
      const part = slice(x, window.row, window.rows);
      addListed(y, part, index.slice(window.row, end), window.row > 0);
      continue;
    }
    for (let row = window.row; row < end; row += SEARCHED) {
      const terms = Math.min(SEARCHED, end - row);
      const whole = { x: slice(x, row, terms), index: slice(index, row, terms) };
      runScatter("searched", y, whole, terms, row > 0);
    }
  }
  return y;
}

function addListed(y: Tensor, x: Resource, index: readonly number[], add: boolean): void {
  const { gpu } = y;
  const [rows, channels] = y.shape as [number, number];
  const lists = Array.from({ length: rows }, (): number[] => []);
  index.forEach((row, n) => lists[row]!.push(n));
  if (lists.every((list) => list.length <= TERMS)) return runListed(y, x, lists, add);
  const pieces = lists.flatMap((list, row) =>
    Array.from({ length: Math.ceil(list.length / TERMS) }, (_, i) => ({
      row,
      list: list.slice(i * TERMS, (i + 1) * TERMS),
    }))
  );
  const sums = gpu.empty([pieces.length, channels]);
  runListed(sums, x, pieces.map(({ list }) => list), false);
  addListed(y, sums, pieces.map(({ row }) => row), add);
  sums.dispose();
}

function runListed(y: Tensor, x: Resource, lists: readonly number[][], add: boolean): void {
  const ends = new Int32Array(lists.length + 1);
  lists.forEach((list, row) => ends[row + 1] = ends[row]! + list.length);
  const starts = y.gpu.tensor(ends);
  const order = y.gpu.tensor(Int32Array.from(lists.flat()));
  runScatter("listed", y, { x, starts, order }, 0, add);
  starts.dispose();
  order.dispose();
}

function runScatter(
  entry: "listed" | "searched",
  y: Tensor,
  whole: Record<string, Resource>,
  terms: number,
  add: boolean,
): void {
  const [count, channels] = y.shape as [number, number];
  const { kernel, width } = scatterKernels.pick(channels);
  const columns = channels / width;
  runRows(y.gpu, kernel, count, {
    entry,
    rows: { y },
    whole,
    params: ({ row, rows }) => ({ rows, first: row, columns, terms }),
    constants: { ADD: add },
    workgroups: ({ rows }) => Math.ceil(rows * columns / 64),
  });
}

function slice(tensor: Tensor, row: number, rows: number): Resource {
  const width = tensor.size / tensor.shape[0]!;
  return { tensor, start: row * width, length: rows * width };
}

/** @throws {TypeError} If there is not one index per row of x. */
export function oneIndexPerRow(doing: string, x: Tensor, size: number): void {
  if (size === x.shape[0]) return;
  throw new TypeError(
    `Cannot ${doing} as there must be one index per row: x is ${showShape(x.shape)}, indices are ${size}`,
  );
}
