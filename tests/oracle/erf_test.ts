import { assert, assertEquals } from "@std/assert";
import { erf } from "./erf.ts";

// The Taylor series of erf, summed in decimal arithmetic of 60 digits.
const KNOWN: [number, number][] = [
  [0.0625, 0.0704319777223870780505],
  [0.5, 0.5204998778130465376827],
  [1, 0.8427007929497148693412],
  [1.5, 0.9661051464753107270669],
  [2, 0.9953222650189527341620],
  [2.5, 0.9995930479825550410604],
  [3.75, 0.9999998862727434302033],
  [5.5, 0.9999999999999926421520],
];

Deno.test("erf agrees with values of high precision", () => {
  for (const [x, expected] of KNOWN) {
    assert(Math.abs(erf(x) - expected) < 5e-16, `erf(${x}) is ${erf(x)}, expected ${expected}`);
    assertEquals(erf(-x), -erf(x));
  }
});

Deno.test("erf of 0, tiny and huge values", () => {
  assertEquals(erf(0), 0);
  assert(Math.abs(erf(1e-300) / 1e-300 - 2 / Math.sqrt(Math.PI)) < 1e-15);
  assertEquals([erf(6), erf(1e10), erf(Infinity), erf(-Infinity), erf(NaN)], [1, 1, 1, -1, NaN]);
});

Deno.test("erf has no jump where its two forms meet", () => {
  assert(Math.abs(erf(2) - erf(2 - 2 ** -40)) < 2 ** -40);
});
