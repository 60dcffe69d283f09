/**
 * A stand-in for the few functions of `@std/assert` the tests use, with the same signatures, for
 * machines that reach npm but not JSR. `deno.json` links it under that name.
 *
 * @module
 */
export { assert } from "./assert.ts";
export { AssertionError } from "./assertion_error.ts";
export { assertAlmostEquals } from "./almost_equals.ts";
export { equal } from "./equal.ts";
export { assertEquals } from "./equals.ts";
export { assertGreater } from "./greater.ts";
export { type AnyConstructor, assertInstanceOf, type GetConstructorType } from "./instance_of.ts";
export { assertIsError } from "./is_error.ts";
export { assertLess } from "./less.ts";
export { assertNotEquals } from "./not_equals.ts";
export { assertRejects } from "./rejects.ts";
export { assertStringIncludes } from "./string_includes.ts";
export { assertThrows } from "./throws.ts";
