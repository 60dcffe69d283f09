/** What a device reports: it was lost, its memory ran out, or it refused a call. The message is of one line or several. */
export class DeviceError extends Error {
  /** `DeviceError`. */
  override readonly name = "DeviceError";
}

/**
 * Errors that WebGPU reports some time after the call that caused them. Each is kept with the label of that
 * call, and thrown by the next call that waits for the device.
 */
export class DeviceErrors {
  /** Whether the program has destroyed the device. */
  destroyed = false;
  readonly #device: GPUDevice;
  readonly #pending = new Set<Promise<void>>();
  readonly #found: Error[] = [];
  #lost: string | null = null;

  /** Watches a device for uncaptured errors and for its loss. */
  constructor(device: GPUDevice) {
    this.#device = device;
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      const { message } = (event as GPUUncapturedErrorEvent).error;
      this.#found.push(new DeviceError(`Cannot compute as the device reports an error: ${message.trim()}`));
    });
    device.lost.then((info) =>
      this.#lost = [info.reason ?? "unknown", info.message.trim()].filter(Boolean).join(": ")
    );
  }

  /** Keeps an error for the next call that waits, before those that may follow from it. */
  add(error: Error): void {
    this.#found.unshift(error);
  }

  /** Adds a check that {@linkcode DeviceErrors.settle} waits for. */
  watch(check: Promise<void>): void {
    this.#pending.add(check);
    check.finally(() => this.#pending.delete(check));
  }

  /** Opens error scopes and returns the function that closes them; errors that they catch name `label`. */
  readonly guard = (label: string): () => void => {
    const kinds: GPUErrorFilter[] = ["validation", "out-of-memory", "internal"];
    for (const kind of kinds) this.#device.pushErrorScope(kind);
    return () => {
      for (const kind of [...kinds].reverse()) {
        this.watch(
          this.#device.popErrorScope().then((error) => {
            if (!error) return;
            const rule = kind === "out-of-memory" ? "memory ran out" : "the device refused";
            this.#found.push(new DeviceError(`Cannot ${label} as ${rule}: ${error.message.trim()}`));
          }, () => {}), // a lost device rejects; `throwIfLost` reports it
        );
      }
    };
  };

  /** Checks that the device can compute. @throws {Error} If it is destroyed or lost. */
  throwIfLost(doing: string): void {
    if (this.destroyed) throw new Error(`Cannot ${doing} as the device was destroyed`);
    if (this.#lost !== null) {
      throw new DeviceError(`Cannot ${doing} as the device was lost: ${this.#lost}`);
    }
  }

  /**
   * Waits a moment for the loss of the device that may be why a call failed: it is reported after the failure.
   *
   * @throws {Error} If the device is destroyed or lost.
   */
  async throwIfLosing(doing: string): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([this.#device.lost, new Promise((resolve) => timer = setTimeout(resolve, 200))]);
    clearTimeout(timer);
    this.throwIfLost(doing);
  }

  /**
   * Waits until all checks so far are done.
   *
   * @throws {Error} The first error; the others are dropped, since they follow from it.
   */
  async settle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    const first = this.#found[0];
    this.#found.length = 0;
    if (first) throw first;
  }
}
