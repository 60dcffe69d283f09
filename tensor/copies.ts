import { roundUp } from "./align.ts";
import type { Commands } from "./commands.ts";
import type { TextureRows } from "./dispatch.ts";
import { elementBytes } from "./dtype.ts";
import { showShape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";
import type { PooledTexture } from "./texture_pool.ts";

/** Sets a tensor to zeros. */
export function clearTensor(commands: Commands, { bytes, storage: { entry } }: Tensor): void {
  if (bytes === 0) return;
  commands.encoder().clearBuffer(entry.buffer, 0, roundUp(bytes, 4));
  entry.lastUse = commands.submission;
}

/** Copies a tensor to another; see {@linkcode Gpu.copy}. */
export function copyTensor(commands: Commands, from: Tensor, to: Tensor): void {
  if (from.size !== to.size || from.bytes !== to.bytes) {
    throw new TypeError(`Cannot copy as sizes must be equal: ${showTensor(from)} to ${showTensor(to)}`);
  }
  if (from.size === 0) return;
  const source = from.storage.entry;
  const target = to.storage.entry;
  commands.encoder().copyBufferToBuffer(
    source.buffer,
    from.offset * elementBytes(from.dtype),
    target.buffer,
    to.offset * elementBytes(to.dtype),
    roundUp(from.bytes, 4),
  );
  source.lastUse = target.lastUse = commands.submission;
  to.storage.version++;
}

/** Copies a tensor to a buffer that the host maps, whose first bytes it takes. */
export function copyToStaging(commands: Commands, from: Tensor, staging: GPUBuffer): void {
  if (from.bytes === 0) return;
  const { entry } = from.storage;
  const start = from.offset * elementBytes(from.dtype);
  commands.encoder().copyBufferToBuffer(entry.buffer, start, staging, 0, roundUp(from.bytes, 4));
  entry.lastUse = commands.submission;
}

/** Copies rows of a tensor to a texture; see {@linkcode Gpu.copyToTexture}. */
export function copyRowsToTexture(
  commands: Commands,
  from: Tensor,
  to: PooledTexture,
  { start, row, rows, texels, y = 0 }: TextureRows,
): void {
  if (rows * texels === 0) return;
  const { entry } = from.storage;
  const bytes = elementBytes(from.dtype);
  commands.encoder().copyBufferToTexture(
    { buffer: entry.buffer, offset: (from.offset + start) * bytes, bytesPerRow: row * bytes },
    { texture: to.texture, origin: [0, y] },
    [texels, rows],
  );
  entry.lastUse = commands.submission;
}

/** A tensor's shape as messages print it, with its type where it is not f32. */
const showTensor = ({ shape, dtype }: Tensor) => showShape(shape) + (dtype === "f32" ? "" : ` of ${dtype}`);
