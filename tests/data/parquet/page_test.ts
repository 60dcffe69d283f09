import { assertEquals, assertThrows } from "@std/assert";
import { decodeDictionary, decodePage, type PageColumn, type PageInfo } from "../../../data/parquet/page.ts";
import { assertBounded } from "../../bounded.ts";

const column: PageColumn = { type: "INT32", codec: "UNCOMPRESSED", maxLevel: 1 };
const page = (more: Partial<PageInfo>): PageInfo => ({
  count: 3,
  encoding: "PLAIN",
  size: 0,
  levelBytes: null,
  isCompressed: true,
  ...more,
});
const words = (...values: readonly number[]) => [...new Uint8Array(Int32Array.from(values).buffer)];

/** Levels with their length before them, and values. */
const body = (levels: readonly number[], values: readonly number[]) =>
  Uint8Array.from([...words(levels.length), ...levels, ...values]);
const decode = (
  bytes: Uint8Array,
  more: Partial<PageInfo> = {},
  dictionary: readonly number[] | null = null,
) => decodePage(bytes, page({ size: bytes.length, ...more }), column, dictionary);

Deno.test("runs and packed groups of levels and indices are read", () => {
  assertEquals(decode(body([3, 0b101], words(7, 9))), [7, null, 9]);
  assertEquals(decode(body([2 << 1, 1, 1 << 1, 0], words(7, 9))), [7, 9, null]);
  const indices = [2, 3, 0b100100]; // of 2 bits, packed: 0, 1, 2
  assertEquals(decode(body([3 << 1, 1], [...indices, 0]), { encoding: "RLE_DICTIONARY" }, [5, 6, 7]), [
    5,
    6,
    7,
  ]);
  const dictionary = decodeDictionary(Uint8Array.from(words(5, 6)), page({ count: 2, size: 8 }), column);
  assertEquals(dictionary, [5, 6]);
});

Deno.test("counts and sizes that lie are refused, or bounded by the rows", () => {
  // A run of 2^31 - 1 values for three rows.
  const endless = [0xfe, 0xff, 0xff, 0xff, 0x0f, 1];
  assertEquals(decode(body(endless, words(1, 2, 3))), [1, 2, 3]);
  const lies: [() => unknown, string][] = [
    [() => decode(body([0x80, 0x80, 0x80, 0x80, 0x80, 1], [])), "a count is too large"],
    [() => decode(body([0, 1], words(1, 2, 3))), "a run is empty"],
    [() => decode(body([0xff, 0xff, 0xff, 0xff, 0x0f, 1], [])), "does not fit into a page"],
    [() => decode(Uint8Array.from(words(2 ** 31 - 1))), "a value of 2147483647 bytes does not fit"],
    [() => decode(body([3 << 1, 1], words(1, 2))), "3 values do not fit into a page"],
    [() => decode(new Uint8Array(4), { size: 2 ** 31 }), "a page has 2147483648 bytes"],
    [() => decode(body([3 << 1, 1], [33, 0]), { encoding: "RLE_DICTIONARY" }, [1]), "an index has 33 bits"],
    [
      () => decode(body([3 << 1, 1], [2, 3 << 1, 3]), { encoding: "RLE_DICTIONARY" }, [1]),
      "index 3 is not in",
    ],
    [() => decode(body([3 << 1, 1], [1, 6, 0]), { encoding: "PLAIN_DICTIONARY" }), "there is none"],
  ];
  for (const [lie, message] of lies) assertThrows(lie, RangeError, message);
});

Deno.test("compressed data that lie about their size are refused before memory is taken", () =>
  assertBounded({ bytes: 2 ** 28 }, () => {
    const snappy: PageColumn = { ...column, codec: "SNAPPY" };
    const bytes = Uint8Array.of(0xff, 0xff, 0xff, 0x7f, 0, 0);
    assertThrows(
      () => decodePage(bytes, page({ size: 100 }), snappy, null),
      RangeError,
      "a page has another size",
    );
    for (const codec of ["ZSTD", "GZIP", "BROTLI", "LZ4_RAW"] as const) {
      assertThrows(() => decodePage(bytes, page({ size: 2 ** 28 }), { ...column, codec }, null));
    }
  }));
