// Readers of files against random changes of them.
import { assert } from "@std/assert";
import { assertBounded } from "./bounded.ts";
import { full } from "./full.ts";
import { mutate } from "./mutate.ts";

/** Changed files that a reader is tried on: 500, and 10,000 in the full suite. */
export const MUTATIONS = full ? 10_000 : 500;

/** What one may take. A reader takes microseconds; the limit leaves room for a busy machine. */
const BOUNDS = { ms: 1000, bytes: 2 ** 29 };

/**
 * Registers a test that reads random changes of a file: each is read, or refused by an error of one line, quickly and in bounded
 * memory; some are read and some refused.
 *
 * @param name What the file is.
 * @param bytes Its content.
 * @param read Reads a changed file.
 * @param head Bytes at the start that two in three changes hit, such as a header; default: all.
 */
export function testMutations(
  name: string,
  bytes: () => Uint8Array,
  read: (mutant: Uint8Array<ArrayBuffer>) => unknown,
  head = Infinity,
): void {
  Deno.test(`${MUTATIONS.toLocaleString("en")} mutations of ${name} are read or refused, quickly`, async () => {
    const original = bytes();
    let count = 0;
    for (let seed = 0; seed < MUTATIONS; seed++) {
      const mutant = mutate(original, seed, Math.min(head, original.length));
      const error = await assertBounded(BOUNDS, () => errorOf(read, mutant), `seed ${seed}`);
      if (error === null) count++;
      else {
        const kinds = [Error, SyntaxError, TypeError, RangeError];
        assert(kinds.some((kind) => (error as Error)?.constructor === kind), `seed ${seed}: ${error}`);
        const { message } = error as Error;
        assert(/^Cannot [^\p{Cc}]{1,600}$/u.test(message), `seed ${seed}: ${message}`);
      }
    }
    assert(count > MUTATIONS / 100 && count < MUTATIONS * 0.98, `${count} of ${MUTATIONS} were read`);
  });
}

/** What reading a file throws; null for nothing. */
async function errorOf(
  read: (mutant: Uint8Array<ArrayBuffer>) => unknown,
  mutant: Uint8Array<ArrayBuffer>,
): Promise<unknown> {
  try {
    await read(mutant);
    return null;
  } catch (thrown) {
    return thrown;
  }
}
