import { assertEquals, assertThrows } from "@std/assert";
import { flatWindows, rowWindows } from "../../tensor/binding_windows.ts";

/** A device with the limit that windows are cut for. */
const binding = (values: number) => ({ limits: { bindingBytes: values * 4 } });

Deno.test("a tensor that fits a binding is one window, an empty one has no window", () => {
  assertEquals(flatWindows(binding(128), 0), []);
  assertEquals(flatWindows(binding(128), 1), [{ start: 0, length: 1 }]);
  assertEquals(flatWindows(binding(128), 128), [{ start: 0, length: 128 }]);
  assertEquals(rowWindows(binding(128), 0, 7), []);
  assertEquals(rowWindows(binding(130), 13, 10), [{ row: 0, rows: 13 }]);
});

Deno.test("windows start at multiples of 64 elements and end where a binding does", () => {
  assertEquals(flatWindows(binding(130), 300), [
    { start: 0, length: 128 },
    { start: 128, length: 128 },
    { start: 256, length: 44 },
  ]);
  assertEquals(rowWindows(binding(1000), 200, 7), [
    { row: 0, rows: 128 },
    { row: 128, rows: 72 },
  ]);
});

Deno.test("windows cover every element once, within the binding", () => {
  for (
    const [rows, rowSize, capacity] of [[1000, 1, 64], [777, 3, 200], [4096, 65, 4200], [
      65,
      15,
      960,
    ]] as const
  ) {
    let next = 0;
    for (const window of rowWindows(binding(capacity), rows, rowSize)) {
      assertEquals(window.row, next);
      assertEquals([window.row * rowSize % 64, window.rows > 0, window.rows * rowSize <= capacity], [
        0,
        true,
        true,
      ]);
      next += window.rows;
    }
    assertEquals(next, rows);
  }
});

Deno.test("rows too wide to split are refused", () => {
  assertThrows(
    () => rowWindows(binding(128), 100, 3),
    RangeError,
    "Cannot split rows of 3 elements as 64 of them must fit one binding: the adapter binds 512 bytes",
  );
});
