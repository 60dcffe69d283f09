// Random changes of a file, the same ones for the same seed.
import { philox } from "./oracle/uniform.ts";

/**
 * One to four changes: a byte set, bytes cut out, inserted or repeated, a digit replaced, or the end cut off.
 *
 * @param head Bytes at the start that two in three changes hit, such as a header.
 */
export function mutate(bytes: Uint8Array, seed: number, head: number): Uint8Array<ArrayBuffer> {
  let out = Uint8Array.from(bytes);
  const [count] = philox([seed, 0, 0, 0], [11, 13]);
  for (let change = 1; change <= 1 + count! % 4; change++) {
    const [kind, place, value, near] = philox([seed, change, 0, 0], [11, 13]);
    const at = place! % (near! % 3 === 0 ? out.length + 1 : Math.min(out.length, head) + 1);
    const random = Uint8Array.from({ length: value! % 9 }, (_, i) => (value! >>> i) & 255);
    switch (kind! % 12) {
      case 0:
      case 1:
        out = out.slice(0, at);
        break;
      case 2:
      case 3:
        out = joined(out.subarray(0, at), random, out.subarray(at));
        break;
      case 4:
      case 5:
        out = joined(out.subarray(0, at), out.subarray(at + value! % 9));
        break;
      case 6:
        out = joined(out.subarray(0, at + value! % 40), out.subarray(at));
        break;
      case 7:
      case 8: {
        const digit = out.subarray(at).findIndex((byte) => byte >= 48 && byte <= 57);
        if (digit >= 0) out[at + digit] = 48 + value! % 10;
        break;
      }
      default:
        if (at < out.length) out[at] = value! % 5 === 0 ? 255 : value! & 255;
    }
  }
  return out;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
