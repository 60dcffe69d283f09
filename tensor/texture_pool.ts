// Reuses textures, and the copies of operands in them.
import { TextureUsage } from "./flags.ts";
import { sizeClass } from "./pool.ts";
import { type DType, elementBytes } from "./dtype.ts";
import type { Storage } from "./storage.ts";

/** A 2-D texture with a vec4 a texel, lent by `TexturePool`. */
export interface PooledTexture {
  /** Unique among all textures so far; part of bind-group keys. */
  readonly id: number;
  /** The texture itself, for copies. */
  readonly texture: GPUTexture;
  /** Its view, for bindings. */
  readonly view: GPUTextureView;
  /** Width in texels. */
  readonly width: number;
  /** Height in texels. */
  readonly height: number;
  /** Bytes of all texels. */
  readonly bytes: number;
  /** Key of textures that can replace each other. */
  readonly key: string;
}

/** What a texture holds: a copy of elements of a storage, as they were at one version of it. */
export interface TextureContent {
  /** The storage. */
  readonly storage: Storage;
  /** Type of the elements. */
  readonly dtype: DType;
  /** Version of the storage when they were copied. */
  readonly version: number;
  /** Which elements, and how they lie in the texture. */
  readonly layout: string;
}

/** A texture and what it holds. */
interface Filled {
  readonly texture: PooledTexture;
  readonly content: TextureContent;
}

/** A texture that is lent out, and to how many. */
interface Lent extends Filled {
  users: number;
}

/** Bytes of idle textures that are kept for what they hold; beyond, the one idle for longest is filled anew. */
const KEEP = 1 << 26;

/** Largest number of bytes of idle textures. */
const MOST = 1 << 28;

const same = (a: TextureContent, b: TextureContent): boolean =>
  a.storage === b.storage && a.version === b.version && a.layout === b.layout;

/** Whether no GEMM can read the content any more. */
const isStale = ({ storage, version }: TextureContent): boolean =>
  storage.refs === 0 || storage.version !== version;

/** {@linkcode PooledTexture.key} of a texture. */
const keyOf = (width: number, height: number, dtype: DType) => `${width}x${height} ${dtype}`;

/** A texture's sides are multiples of so many texels. */
const SIDE = 16;

/**
 * Textures by size and type, reused, for GEMM on adapters that load texels faster than buffers. An operand that several GEMMs of
 * a step read is copied once, if its copy is still there.
 */
export class TexturePool {
  readonly #device: GPUDevice;
  readonly #guard: (label: string) => () => void;
  readonly #onDestroy: (id: number) => void;
  readonly #flush: () => void;
  readonly #free = new Map<string, Filled[]>();
  readonly #lent = new Map<PooledTexture, Lent>();
  #nextId = 1;
  #freeBytes = 0;

  /**
   * An empty pool.
   *
   * @param device Device that makes the textures.
   * @param guard Opens an error scope under a label and returns the function that closes it.
   * @param onDestroy Called with the id of a texture that is destroyed.
   * @param flush Submits the recorded commands, before which the textures that they use must not be destroyed.
   */
  constructor(
    device: GPUDevice,
    guard: (label: string) => () => void,
    onDestroy: (id: number) => void,
    flush: () => void,
  ) {
    this.#device = device;
    this.#guard = guard;
    this.#onDestroy = onDestroy;
    this.#flush = flush;
  }

  /** Textures lent out now. */
  get live(): number {
    return this.#lent.size;
  }

  /**
   * Lends a texture of at least `width` by `height` texels. If one holds `content`, even one that is lent out, it is that one
   * and `held` is true; otherwise the caller fills it at once.
   */
  take(width: number, height: number, content: TextureContent): { texture: PooledTexture; held: boolean } {
    for (const lent of this.#lent.values()) {
      if (!same(lent.content, content)) continue;
      lent.users++;
      return { texture: lent.texture, held: true };
    }
    const found = this.#find(width, height, content);
    this.#lent.set(found.texture, { texture: found.texture, content, users: 1 });
    return found;
  }

  #find(width: number, height: number, content: TextureContent): { texture: PooledTexture; held: boolean } {
    const limit = this.#device.limits.maxTextureDimension2D;
    // Rows a multiple of 1 KiB apart fall on few sets of a cache: four texels more spread them.
    const rounded = sizeClass(width, SIDE);
    const w = Math.min(rounded % 64 === 0 ? rounded + 4 : rounded, limit);
    const h = Math.min(sizeClass(height, SIDE), limit);
    const key = keyOf(w, h, content.dtype);
    const bytes = w * h * 4 * elementBytes(content.dtype);
    const idle = this.#free.get(key) ?? [];
    const at = idle.findIndex((each) => same(each.content, content));
    const [found] = idle.splice(at >= 0 ? at : this.#spare(idle), 1);
    if (found) {
      this.#freeBytes -= bytes;
      return { texture: found.texture, held: at >= 0 };
    }
    if (this.#freeBytes + bytes > MOST) {
      this.#flush();
      this.trim();
    }
    const close = this.#guard(`allocate a ${w} by ${h} texture`);
    const texture = this.#device.createTexture({
      label: `texture ${this.#nextId}`,
      size: [w, h],
      format: content.dtype === "f16" ? "rgba16float" : "rgba32float",
      usage: TextureUsage.STORAGE_BINDING | TextureUsage.COPY_DST,
    });
    const view = texture.createView();
    close();
    return { texture: { id: this.#nextId++, texture, view, width: w, height: h, bytes, key }, held: false };
  }

  /**
   * Index of the idle texture to fill anew: the oldest with stale content, so that a step takes the same textures as the step
   * before; else the one idle for longest, if there are enough; else the number of idle ones.
   */
  #spare(idle: readonly Filled[]): number {
    let first = -1;
    idle.forEach(({ texture, content }, i) => {
      if (isStale(content) && (first < 0 || texture.id < idle[first]!.texture.id)) first = i;
    });
    if (first >= 0) return first;
    return this.#freeBytes > KEEP ? 0 : idle.length;
  }

  /** Takes a lent texture back. */
  give(texture: PooledTexture): void {
    const lent = this.#lent.get(texture)!;
    if (--lent.users > 0) return;
    this.#lent.delete(texture);
    const free = this.#free.get(texture.key);
    if (free) free.push(lent);
    else this.#free.set(texture.key, [lent]);
    this.#freeBytes += texture.bytes;
  }

  /** Destroys the unused textures. Call it between submissions. */
  trim(): void {
    for (const { texture } of [...this.#free.values()].flat()) {
      texture.texture.destroy();
      this.#onDestroy(texture.id);
    }
    this.#free.clear();
    this.#freeBytes = 0;
  }
}
