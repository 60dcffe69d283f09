import { assertEquals } from "@std/assert";
import { philox, uniforms } from "./uniform.ts";

// From kat_vectors of Random123 1.14: counter, key, expected words.
const KNOWN: [
  [number, number, number, number],
  [number, number],
  number[],
][] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

Deno.test("philox gives the known answers of Random123", () => {
  for (const [counter, key, expected] of KNOWN) {
    assertEquals([...philox(counter, key)], expected);
  }
});

Deno.test("uniforms are in [0, 1) and exact in float32", () => {
  const u = uniforms(Uint32Array.of(0, 0xff, 0x100, 0xffffffff));
  assertEquals([...u], [0, 0, 2 ** -24, 1 - 2 ** -24]);
  assertEquals([...u], [...Float32Array.from(u)]);
});
