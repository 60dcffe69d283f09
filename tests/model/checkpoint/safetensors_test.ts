import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  parseSafetensors,
  type SafetensorsEntry,
  toFloat32,
  toInt32,
} from "../../../model/checkpoint/safetensors.ts";
import { encodeSafetensors } from "../../../model/checkpoint/safetensors_encode.ts";
import { testMutations } from "../../mutations.ts";
import { bytesOfArray, sample } from "./safetensors_sample.ts";

// A file with a given header, and `size` bytes of tensors.
function file(header: unknown, size = 0): Uint8Array<ArrayBuffer> {
  const text = header instanceof Uint8Array
    ? header
    : new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const u8 = (start: number, end: number, shape: unknown = [end - start]) => ({
  dtype: "U8",
  shape,
  data_offsets: [start, end],
});

Deno.test("safetensors data are views of the file, at any offset", () => {
  const bytes = encodeSafetensors(sample());
  const larger = new Uint8Array(bytes.length + 3);
  larger.set(bytes, 3);
  const { tensors } = parseSafetensors(larger.subarray(3));
  assertEquals([...tensors], [...sample()]);
  for (const { data } of tensors.values()) assert(data.buffer === larger.buffer);
  assertEquals([...toInt32(tensors.get("targets")!)], [-7, 5]);
});

Deno.test("null metadata are no metadata, as in the reference library", () => {
  const { tensors, metadata } = parseSafetensors(file({ __metadata__: null, x: u8(0, 2) }, 2));
  assertEquals([[...tensors.keys()], metadata], [["x"], {}]);
});

Deno.test("toFloat32 reads every float dtype", () => {
  const halves = (...bits: number[]) => new Uint8Array(Uint16Array.from(bits).buffer);
  const read = (
    dtype: SafetensorsEntry["dtype"],
    data: Uint8Array,
    n: number,
  ) => [...toFloat32({ dtype, shape: [n], data })];
  assertEquals(read("F32", bytesOfArray(Float32Array.of(0.1, -Infinity)), 2), [Math.fround(0.1), -Infinity]);
  // 1, -2, the smallest subnormal, the largest number, infinity.
  assertEquals(
    read("F16", halves(0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00), 5),
    [1, -2, 2 ** -24, 65504, Infinity],
  );
  assertEquals(read("BF16", halves(0x3f80, 0xc049, 0xff80, 0x0001), 4), [1, -3.140625, -Infinity, 2 ** -133]);
  assertEquals(read("F64", new Uint8Array(Float64Array.of(1 / 3).buffer), 1), [Math.fround(1 / 3)]);
  assertThrows(
    () => read("I32", new Uint8Array(4), 1),
    TypeError,
    "Cannot read floats as the dtype must be F32, F16, BF16 or F64: it is I32",
  );
});

Deno.test("toInt32 reads every integer dtype it names", () => {
  const read = (
    dtype: SafetensorsEntry["dtype"],
    data: Uint8Array,
  ) => [...toInt32({ dtype, shape: [data.length], data })];
  assertEquals(read("I32", bytesOfArray(Int32Array.of(-1, 2 ** 31 - 1))), [-1, 2 ** 31 - 1]);
  assertEquals(read("U8", Uint8Array.of(0, 255)), [0, 255]);
  assertEquals(read("I64", bytesOfArray(BigInt64Array.of(-100n, -(2n ** 31n)))), [-100, -(2 ** 31)]);
  assertThrows(
    () => read("I64", bytesOfArray(BigInt64Array.of(0n, 2n ** 31n))),
    RangeError,
    "Cannot read integers as each must fit in 32 bits: element 1 is 2147483648",
  );
  assertThrows(
    () => read("F32", new Uint8Array(4)),
    TypeError,
    "Cannot read integers as the dtype must be I32, I64 or U8: it is F32",
  );
});

const NO_FIT = new Uint8Array(8).fill(255);

const REFUSED: [what: string, bytes: Uint8Array, message: string][] = [
  ["an empty file", new Uint8Array(0), "a file starts with 8 bytes of header length: it has 0 bytes"],
  ["seven bytes", new Uint8Array(7), "a file starts with 8 bytes of header length: it has 7 bytes"],
  [
    "a truncated header",
    file({ a: u8(0, 1) }, 1).subarray(0, 20),
    "the header must lie within the file: its length is 53, 12 bytes follow",
  ],
  [
    "a header length of 64 bits",
    NO_FIT,
    "the header must lie within the file: its length is 18446744073709551615, 0 bytes follow",
  ],
  ["an empty header", file(""), "the header must be JSON: Unexpected end of JSON input"],
  ["bad JSON", file('{"a":'), "the header must be JSON: "],
  [
    "bytes that are not UTF-8",
    file(Uint8Array.of(0x7b, 0xff, 0x7d)),
    "the header must be UTF-8: invalid bytes",
  ],
  ["a list as header", file([]), "the header must be an object: []"],
  ["null as header", file("null"), "the header must be an object: null"],
  [
    "a repeated key",
    file(
      '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061" :{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
    ),
    'no key may appear twice in the header: "a"',
  ],
  [
    "a repeated field",
    file('{"a":{"dtype":"U8","shape":[0],"shape":[0],"data_offsets":[0,0]}}'),
    'no key may appear twice in the header: "shape"',
  ],
  [
    "an entry that is a list",
    file({ a: [1, 2] }),
    'each tensor must be described by an object: "a" is [1,2]',
  ],
  ["no dtype", file({ a: { shape: [0], data_offsets: [0, 0] } }), 'the dtype must be known: "a" is missing'],
  [
    "an unknown dtype",
    file({ a: { ...u8(0, 1), dtype: "F31" } }, 1),
    'the dtype must be known: "a" is "F31"',
  ],
  [
    "an inherited dtype",
    file({ a: { ...u8(0, 1), dtype: "toString" } }, 1),
    'the dtype must be known: "a" is "toString"',
  ],
  [
    "a negative size",
    file({ a: u8(0, 1, [-1, -1]) }, 1),
    'a shape must be a list of whole numbers from 0: "a" is [-1,-1]',
  ],
  [
    "a fractional size",
    file({ a: u8(0, 1, [0.5, 2]) }, 1),
    'a shape must be a list of whole numbers from 0: "a" is [0.5,2]',
  ],
  [
    "a size that is a string",
    file({ a: u8(0, 1, ["1"]) }, 1),
    'a shape must be a list of whole numbers from 0: "a" is ["1"]',
  ],
  [
    "no shape",
    file({ a: { dtype: "U8", data_offsets: [0, 0] } }),
    'a shape must be a list of whole numbers from 0: "a" is missing',
  ],
  [
    "a huge size",
    file('{"a":{"dtype":"U8","shape":[1e400],"data_offsets":[0,0]}}'),
    'a shape must be a list of whole numbers from 0: "a" is [null]',
  ],
  [
    "a size that overflows",
    file({ a: u8(0, 8, new Array(8).fill(2 ** 50)) }, 8),
    "shape and offsets must agree: ",
  ],
  [
    "no offsets",
    file({ a: { dtype: "U8", shape: [0] } }),
    'data_offsets must be a start and an end: "a" is missing',
  ],
  [
    "three offsets",
    file({ a: { ...u8(0, 1), data_offsets: [0, 1, 1] } }, 1),
    'data_offsets must be a start and an end: "a" is [0,1,1]',
  ],
  [
    "offsets that go back",
    file({ a: { ...u8(0, 1), data_offsets: [1, 0] } }, 1),
    'data_offsets must be a start and an end: "a" is [1,0]',
  ],
  [
    "a negative offset",
    file({ a: { ...u8(0, 1), data_offsets: [-1, 0] } }, 1),
    'data_offsets must be a start and an end: "a" is [-1,0]',
  ],
  [
    "a size that differs from the shape",
    file({ a: { dtype: "F32", shape: [2, 3], data_offsets: [0, 20] } }, 20),
    'shape and offsets must agree: "a", F32 [2,3], takes 24 bytes, has 20',
  ],
  [
    "a hole",
    file({ a: u8(0, 2), b: u8(3, 5) }, 5),
    'tensors must be contiguous, without holes or overlaps: "b" starts at 3, the previous one ends at 2',
  ],
  [
    "a hole at the start",
    file({ a: u8(1, 2) }, 2),
    'tensors must be contiguous, without holes or overlaps: "a" starts at 1, the previous one ends at 0',
  ],
  [
    "an overlap",
    file({ b: u8(1, 3), a: u8(0, 2) }, 3),
    'tensors must be contiguous, without holes or overlaps: "b" starts at 1, the previous one ends at 2',
  ],
  [
    "two tensors in one place",
    file({ a: u8(0, 2), b: u8(0, 2) }, 2),
    'tensors must be contiguous, without holes or overlaps: "b" starts at 0, the previous one ends at 2',
  ],
  [
    "offsets beyond the file",
    file({ a: u8(0, 9) }, 8),
    'offsets must lie within the file: "a" ends at 9 of 8 bytes',
  ],
  [
    "offsets far beyond it",
    file({ a: u8(0, 2 ** 52) }, 8),
    'offsets must lie within the file: "a" ends at 4503599627370496 of 8 bytes',
  ],
  [
    "trailing bytes",
    file({ a: u8(0, 2) }, 3),
    "tensors must fill the file: the last one ends at 2 of 3 bytes",
  ],
  ["metadata that are a string", file({ __metadata__: "pt" }), '__metadata__ must be an object: "pt"'],
  [
    "metadata with a number",
    file({ __metadata__: { step: 3 } }),
    '__metadata__ must hold strings: "step" is 3',
  ],
  [
    "nesting",
    file(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`),
    'each tensor must be described by an object: "a" is a nested value',
  ],
];

Deno.test("invalid safetensors are refused in one line with the rule", async (t) => {
  for (const [what, bytes, message] of REFUSED) {
    await t.step(what, () => {
      const error = assertThrows(() => parseSafetensors(bytes, "x.safetensors"), SyntaxError);
      const expected = `Cannot read x.safetensors as safetensors as ${message}`;
      assertEquals(error.message.slice(0, expected.length), expected);
      assert(/^[\x20-\x7e]+$/.test(error.message));
    });
  }
});

Deno.test("safetensors with a header over 100 MB are refused unread", () => {
  const bytes = new Uint8Array(8 + 100_000_001);
  new DataView(bytes.buffer).setUint32(0, 100_000_001, true);
  assertThrows(
    () => parseSafetensors(bytes),
    SyntaxError,
    "at most 100000000 bytes: its length is 100000001",
  );
});

testMutations("safetensors", () => encodeSafetensors(sample(), { format: "pt" }), (mutant) => {
  const { tensors } = parseSafetensors(mutant);
  for (const { data } of tensors.values()) assert(data.buffer === mutant.buffer);
}, 420);
