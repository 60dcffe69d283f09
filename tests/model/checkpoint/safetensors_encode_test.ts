import { assertEquals, assertThrows } from "@std/assert";
import { parseSafetensors, type SafetensorsEntry } from "../../../model/checkpoint/safetensors.ts";
import { encodeSafetensors } from "../../../model/checkpoint/safetensors_encode.ts";
import { bytesOfArray, sample } from "./safetensors_sample.ts";

Deno.test("safetensors are read as they were written, in the same order", () => {
  const metadata = { format: "pt", __proto__x: "é\n", "2": "" };
  const bytes = encodeSafetensors(sample(), metadata);
  const parsed = parseSafetensors(bytes);
  assertEquals([...parsed.tensors], [...sample()]);
  assertEquals(parsed.metadata, metadata);
  assertEquals(encodeSafetensors(parsed.tensors, parsed.metadata), bytes);
});

Deno.test("safetensors are written byte for byte as the reference library does", () => {
  const data = bytesOfArray(Float32Array.of(0, 1, 2, 3, 4, 5));
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const aligned = encodeSafetensors(new Map([["attn.0", { dtype: "F32", shape: [1, 2, 3], data }]]));
  assertEquals([...aligned.subarray(0, 8)], [64, 0, 0, 0, 0, 0, 0, 0]);
  assertEquals(
    text(aligned.subarray(8, 72)),
    '{"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}}',
  );
  assertEquals([...aligned.subarray(72)], [...data]);
  const padded = encodeSafetensors(new Map([["attn0", { dtype: "F32", shape: [1, 1, 2, 3], data }]]));
  assertEquals(padded[0], 72);
  assertEquals(
    text(padded.subarray(8, 80)),
    '{"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}}       ',
  );
  assertEquals(text(encodeSafetensors(new Map())), "\x08\0\0\0\0\0\0\0{}      ");
});

Deno.test("safetensors of another program are read and written", () => {
  const bytes = Deno.readFileSync(new URL("../../testdata/ops.safetensors", import.meta.url));
  const { tensors, metadata } = parseSafetensors(bytes, "ops.safetensors");
  assertEquals(tensors.size, 96);
  assertEquals([...parseSafetensors(encodeSafetensors(tensors, metadata)).tensors], [...tensors]);
});

Deno.test("encodeSafetensors refuses invalid tensors", () => {
  const encode = (name: string, entry: SafetensorsEntry) => encodeSafetensors(new Map([[name, entry]]));
  assertThrows(
    () => encode("w", { dtype: "F32", shape: [2, 2], data: new Uint8Array(15) }),
    TypeError,
    'Cannot write "w" as safetensors as shape and data must agree: F32 [2,2] takes 16 bytes, data are 15',
  );
  assertThrows(
    () => encode("w", { dtype: "U8", shape: [-1, -1], data: new Uint8Array(1) }),
    TypeError,
    'Cannot write "w" as safetensors as a shape must be a list of whole numbers from 0: it is [-1,-1]',
  );
  assertThrows(
    () => encode("__metadata__", { dtype: "U8", shape: [0], data: new Uint8Array(0) }),
    TypeError,
    'Cannot write "__metadata__" as safetensors as this name is reserved: it was given to a tensor',
  );
});
