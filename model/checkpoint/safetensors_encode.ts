// Encodes safetensors files.
import type { SafetensorsEntry } from "./safetensors.ts";
import { byteSize, isSizes, quote, type SafetensorsDtype, show, view } from "./safetensors_format.ts";

/**
 * Encodes a safetensors file. Tensors are stored in the order of the map; the header is padded with
 * spaces to a multiple of 8 bytes, as in the reference library.
 *
 * @param tensors Tensor by name.
 * @param metadata Strings for `__metadata__`, omitted if empty; files of Hugging Face have
 * `{ format: "pt" }`.
 * @returns The bytes of the file.
 * @throws {TypeError} If the data of a tensor does not have product(shape) elements, its shape is invalid, or
 * its name is `__metadata__`.
 *
 * @example
 * ```ts
 * import { encodeSafetensors } from "./safetensors_encode.ts";
 *
 * const data = new Uint8Array(Float32Array.of(1, 2).buffer);
 * const file = encodeSafetensors(
 *   new Map([["lm_head.bias", { dtype: "F32", shape: [2], data }]]),
 *   { format: "pt" },
 * );
 * console.log(file.length % 8); // 0
 * ```
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  return concatBytes(encodeParts(tensors, metadata));
}

/**
 * Encodes a file as parts, without a copy of the tensors: the header, then the bytes of each tensor.
 *
 * @throws {TypeError} As {@linkcode encodeSafetensors}.
 */
export function encodeParts(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const header = encodeHeader(tensors, metadata);
  const parts = [...tensors].map(([name, { dtype, shape, data }]) => {
    const size = byteSize(dtype, shape);
    if (size === data.length) return data;
    throw new TypeError(
      `Cannot write ${quote(name)} as safetensors as shape and data must agree: ${dtype} ${
        show(shape)
      } takes ${size} bytes, data are ${data.length}`,
    );
  });
  return [header, ...parts];
}

/**
 * Encodes the header of a safetensors file; the bytes of the tensors follow, in the order of the map.
 *
 * @param tensors Dtype and shape by name.
 * @param metadata As for {@linkcode encodeSafetensors}.
 * @throws {TypeError} If a shape is invalid, or a name is `__metadata__`.
 *
 * @example
 * ```ts
 * import { encodeHeader } from "./safetensors_encode.ts";
 *
 * console.log(encodeHeader(new Map([["lm_head.bias", { dtype: "F32", shape: [2] }]])).length); // 72
 * ```
 */
export function encodeHeader(
  tensors: ReadonlyMap<string, { readonly dtype: SafetensorsDtype; readonly shape: readonly number[] }>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  // Concatenated as text, since an object would move keys that look like integers to the front.
  const fields: string[] = [];
  if (Object.keys(metadata).length > 0) {
    fields.push(`"__metadata__":${JSON.stringify(metadata)}`);
  }
  let end = 0;
  for (const [name, { dtype, shape }] of tensors) {
    const refuse = (why: string) => {
      throw new TypeError(`Cannot write ${quote(name)} as safetensors as ${why}`);
    };
    if (name === "__metadata__") refuse("this name is reserved: it was given to a tensor");
    if (!isSizes(shape)) refuse(`a shape must be a list of whole numbers from 0: it is ${show(shape)}`);
    const data_offsets = [end, end += byteSize(dtype, shape)];
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets })}`);
  }
  const header = new TextEncoder().encode(`{${fields.join(",")}}`);
  const bytes = new Uint8Array(8 + Math.ceil(header.length / 8) * 8).fill(0x20, 8);
  view(bytes).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(header, 8);
  return bytes;
}

/** Concatenates byte arrays. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
