// The stand-in for @std/assert, held to what the package of that name promises.
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
  equal,
} from "@std/assert";

/** Runs an assertion that must fail. */
function fails(fn: () => void, words = ""): void {
  try {
    fn();
  } catch (error) {
    if (error instanceof AssertionError && error.message.includes(words)) return;
    throw new Error(`failed otherwise than with ${words}`, { cause: error });
  }
  throw new Error("did not fail");
}

Deno.test("assert narrows and fails", () => {
  const value: number | undefined = [1].at(0);
  assert(value !== undefined);
  const narrowed: number = value;
  assert(narrowed === 1);
  fails(() => assert(0, "zero is not truthy"), "zero is not truthy");
});

Deno.test("equal looks into values", () => {
  const alike: [unknown, unknown][] = [
    [NaN, NaN],
    [0, -0],
    [{ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }],
    [new Map([["a", [1]]]), new Map([["a", [1]]])],
    [new Set([{ a: 1 }, { a: 2 }]), new Set([{ a: 2 }, { a: 1 }])],
    [Float32Array.of(1, NaN), Float32Array.of(1, NaN)],
    [new Date(5), new Date(5)],
    [/a/g, /a/g],
    [Object.create(null), {}],
    [Uint8Array.of(1, 2).buffer, Uint8Array.of(1, 2).buffer],
  ];
  for (const [a, b] of alike) assert(equal(a, b), Deno.inspect([a, b]));
  const unlike: [unknown, unknown][] = [
    [1, "1"],
    [null, undefined],
    [{}, []],
    [{ a: undefined }, {}],
    [{ a: undefined }, { b: undefined }],
    [[1, 2], [1, 2, 3]],
    [Float32Array.of(1), Float64Array.of(1)],
    [new Set([1]), new Set([2])],
    [new Map([["a", 1]]), new Map([["a", 2]])],
    [new Date(5), new Date(6)],
    [new Error("a"), new TypeError("a")],
  ];
  for (const [a, b] of unlike) assert(!equal(a, b), Deno.inspect([a, b]));
});

Deno.test("equal follows cycles", () => {
  const ring = (last: number): unknown[] => {
    const items: unknown[] = [1];
    items.push(items, last);
    return items;
  };
  assert(equal(ring(2), ring(2)));
  assert(!equal(ring(2), ring(3)));
});

Deno.test("assertEquals names the first difference of a long list", () => {
  assertEquals({ a: [1] }, { a: [1] });
  const a = new Float32Array(1000);
  const b = new Float32Array(1000);
  b[777] = 1;
  fails(() => assertEquals(a, b, "tensors"), "first difference at [777]: 0 and 1");
  fails(() => assertEquals([1], [1, 2]), "lengths differ: 1 and 2");
  assertNotEquals(a, b);
  fails(() => assertNotEquals({ a: 1 }, { a: 1 }));
});

Deno.test("assertAlmostEquals has a relative tolerance by default", () => {
  assertAlmostEquals(1e6 + 0.01, 1e6);
  assertAlmostEquals(0.1, 0.2, 0.11);
  assertAlmostEquals(NaN, NaN);
  fails(() => assertAlmostEquals(1e6 + 1, 1e6), "differ by 1");
  fails(() => assertAlmostEquals(NaN, 0));
  fails(() => assertAlmostEquals(1e-9, 0));
});

Deno.test("comparisons", () => {
  assertGreater(2, 1);
  assertLess(1, 2);
  assertStringIncludes("a GPU", "GPU");
  const value: unknown = new Date();
  assertInstanceOf(value, Date);
  const narrowed: Date = value;
  assert(narrowed);
  fails(() => assertGreater(1, 1), "1 > 1");
  fails(() => assertLess(NaN, 1));
  fails(() => assertStringIncludes("a GPU", "CPU"), "CPU");
  fails(() => assertInstanceOf({}, Date), "Date");
});

Deno.test("assertThrows and assertRejects return the error", async () => {
  const thrower = () => {
    throw new RangeError("out of range: 7");
  };
  assertEquals(assertThrows(thrower, RangeError, "range: 7").message, "out of range: 7");
  assertInstanceOf(assertThrows(thrower), RangeError);
  fails(() => assertThrows(() => 1), "throw");
  fails(() => assertThrows(thrower, TypeError), "Expected a TypeError, got a RangeError");
  fails(() => assertThrows(thrower, RangeError, "8"), "8");

  const rejecter = () => Promise.reject(new TypeError("no"));
  assertEquals((await assertRejects(rejecter, TypeError, "no")).message, "no");
  await assertRejects(() => assertRejects(() => Promise.resolve()), AssertionError, "to reject");
  await assertRejects(() => assertRejects(thrower), AssertionError, "the function threw");
  await assertRejects(() => assertRejects(rejecter, RangeError), AssertionError, "RangeError");
});
