/**
 * SHA-256 of a text or bytes.
 *
 * @param content Text, or bytes.
 * @returns 64 hexadecimal digits.
 *
 * @example
 * ```ts
 * import { digestOf } from "./digest.ts";
 *
 * console.log((await digestOf("abc")).slice(0, 8)); // ba7816bf
 * ```
 */
export async function digestOf(content: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * One digest of tensors, from the digest of each and its name. Names may come in any order.
 *
 * @param digests Names, each with a digest.
 */
export async function digestOfNamed(
  digests: Iterable<readonly [name: string, digest: string]>,
): Promise<string> {
  return await digestOf([...digests].map((entry) => JSON.stringify(entry)).sort().join("\n"));
}
