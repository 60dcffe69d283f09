// Configs of tiny models, unchanged and changed, for the tests of configs.
import { assert } from "@std/assert";

/** Text of a file of the repository. */
export const text = (path: string) => Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url));
/** Config of the tiny base model, as text. */
export const base = text("tests/testdata/base/config.json");

type Json = Record<string, unknown>;

/** The tiny base model's config with other fields. */
export const changed = (fields: Json, from = base) => JSON.stringify({ ...JSON.parse(from), ...fields });

/** Asserts that a message is one short line of printable ASCII. */
export function assertOneLine(message: string): void {
  assert(/^[\x20-\x7e]{1,400}$/.test(message), message);
}
