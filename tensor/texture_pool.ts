import { sizeClass } from "./pool.ts";
import { type DType, elementBytes } from "./dtype.ts";
import type { Storage } from "./storage.ts";

/** A two-dimensional texture of four numbers a texel, lent by {@linkcode TexturePool}. */
export interface PooledTexture {
  /** Number that no other surface has had; part of bind-group keys. */
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
}

/** What a surface holds: a copy of a storage's numbers, as they were at one version of it. */
export interface TextureContent {
  /** Storage of the numbers. */
  readonly storage: Storage;
  /** Their type. */
  readonly dtype: DType;
  /** Its version when they were copied. */
  readonly version: number;
  /** Which numbers, and how they lie in the surface. */
  readonly layout: string;
}

/** A surface and what it holds. */
interface Filled {
  readonly surface: PooledTexture;
  readonly content: TextureContent;
}

/** One that is lent out, and how many have it. */
interface Lent extends Filled {
  users: number;
}

/** Bytes of idle surfaces that are kept for what they hold before the oldest is filled anew. */
const KEEP = 1 << 26;

/** Bytes of idle surfaces at most. */
const MOST = 1 << 28;

const same = (a: TextureContent, b: TextureContent): boolean =>
  a.storage === b.storage && a.version === b.version && a.layout === b.layout;

/** Whether no product can want it any more. */
const isStale = ({ storage, version }: TextureContent): boolean =>
  storage.refs === 0 || storage.version !== version;

/** What surfaces that can stand for each other have in common. */
const keyOf = (width: number, height: number, dtype: DType) => `${width}x${height} ${dtype}`;

/** Texels that a side of a surface is a multiple of. */
const SIDE = 16;

/**
 * Textures by size and type, reused; the products on adapters that load texels faster than buffers live in them. An
 * operand that several products of a step read is copied once, if its copy is still there.
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
   * @param onDestroy Called with the id of a surface that leaves the pool for good.
   * @param flush Submits what is recorded, since what commands name may not be destroyed before.
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

  /** Surfaces lent out now. */
  get live(): number {
    return this.#lent.size;
  }

  /**
   * Lends a surface of at least `width` by `height` texels: one that still holds `content`, which `held` tells, even if it
   * is lent out, or else one to be filled at once.
   */
  take(width: number, height: number, content: TextureContent): { surface: PooledTexture; held: boolean } {
    for (const lent of this.#lent.values()) {
      if (!same(lent.content, content)) continue;
      lent.users++;
      return { surface: lent.surface, held: true };
    }
    const found = this.#find(width, height, content);
    this.#lent.set(found.surface, { surface: found.surface, content, users: 1 });
    return found;
  }

  #find(width: number, height: number, content: TextureContent): { surface: PooledTexture; held: boolean } {
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
      return { surface: found.surface, held: at >= 0 };
    }
    if (this.#freeBytes + bytes > MOST) {
      this.#flush();
      this.trim();
    }
    const close = this.#guard(`allocate a ${w} by ${h} texture`);
    const texture = this.#device.createTexture({
      label: `surface ${this.#nextId}`,
      size: [w, h],
      format: content.dtype === "f16" ? "rgba16float" : "rgba32float",
      usage: GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST,
    });
    const view = texture.createView();
    close();
    return { surface: { id: this.#nextId++, texture, view, width: w, height: h, bytes }, held: false };
  }

  /**
   * Number of the surface to fill anew: the first made of those whose content is stale, so that a step takes the same ones as
   * the step before, else the one idle for longest, if there are enough; else their count.
   */
  #spare(idle: readonly Filled[]): number {
    let first = -1;
    idle.forEach(({ surface, content }, i) => {
      if (isStale(content) && (first < 0 || surface.id < idle[first]!.surface.id)) first = i;
    });
    if (first >= 0) return first;
    return this.#freeBytes > KEEP ? 0 : idle.length;
  }

  /** Takes a lent surface back. */
  give(surface: PooledTexture): void {
    const lent = this.#lent.get(surface)!;
    if (--lent.users > 0) return;
    this.#lent.delete(surface);
    const { content } = lent;
    const key = keyOf(surface.width, surface.height, content.dtype);
    const free = this.#free.get(key);
    if (free) free.push({ surface, content });
    else this.#free.set(key, [{ surface, content }]);
    this.#freeBytes += surface.bytes;
  }

  /** Destroys the unused surfaces. Call it between submissions. */
  trim(): void {
    for (const { surface } of [...this.#free.values()].flat()) {
      surface.texture.destroy();
      this.#onDestroy(surface.id);
    }
    this.#free.clear();
    this.#freeBytes = 0;
  }
}
