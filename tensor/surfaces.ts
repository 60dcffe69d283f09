/** A two-dimensional texture of four floats a texel, lent by {@linkcode SurfacePool}. */
export interface Surface {
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
}

const roundUp = (n: number): number => {
  const step = Math.max(16, 2 ** (Math.floor(Math.log2(n)) - 2));
  return Math.ceil(n / step) * step;
};

/** Float textures by size, reused; the products on adapters that load texels faster than buffers live in them. */
export class SurfacePool {
  readonly #device: GPUDevice;
  readonly #guard: (label: string) => () => void;
  readonly #onDestroy: (id: number) => void;
  readonly #free = new Map<string, Surface[]>();
  #nextId = 1;
  #freeBytes = 0;
  #live = 0;

  /**
   * An empty pool.
   *
   * @param device Device that makes the textures.
   * @param guard Opens an error scope under a label and returns the function that closes it.
   * @param onDestroy Called with the id of a surface that leaves the pool for good.
   */
  constructor(
    device: GPUDevice,
    guard: (label: string) => () => void,
    onDestroy: (id: number) => void,
  ) {
    this.#device = device;
    this.#guard = guard;
    this.#onDestroy = onDestroy;
  }

  /** Surfaces lent out now. */
  get live(): number {
    return this.#live;
  }

  /** Lends a surface of at least `width` by `height` texels; its content is whatever was there. */
  take(width: number, height: number): Surface {
    const limit = this.#device.limits.maxTextureDimension2D;
    // Rows a multiple of 1 KiB apart fall on few sets of a cache: four texels more spread them.
    const rounded = roundUp(width);
    const w = Math.min(rounded % 64 === 0 ? rounded + 4 : rounded, limit);
    const h = Math.min(roundUp(height), limit);
    const key = `${w}x${h}`;
    this.#live++;
    const free = this.#free.get(key)?.pop();
    if (free) {
      this.#freeBytes -= w * h * 16;
      return free;
    }
    const close = this.#guard(`allocate a ${w} by ${h} texture`);
    const texture = this.#device.createTexture({
      label: `surface ${this.#nextId}`,
      size: [w, h],
      format: "rgba32float",
      usage: GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST,
    });
    const view = texture.createView();
    close();
    return { id: this.#nextId++, texture, view, width: w, height: h };
  }

  /** Takes a lent surface back. */
  give(surface: Surface): void {
    this.#live--;
    const key = `${surface.width}x${surface.height}`;
    const free = this.#free.get(key);
    if (free) free.push(surface);
    else this.#free.set(key, [surface]);
    this.#freeBytes += surface.width * surface.height * 16;
  }

  /** Destroys the unused surfaces, if they hold more than `keepBytes` bytes. Call it between submissions. */
  trim(keepBytes = 0): void {
    if (this.#freeBytes <= keepBytes) return;
    for (const surface of [...this.#free.values()].flat()) {
      surface.texture.destroy();
      this.#onDestroy(surface.id);
    }
    this.#free.clear();
    this.#freeBytes = 0;
  }
}
