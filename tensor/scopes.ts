import type { Tape } from "./tape.ts";
import { Tensor } from "./tensor.ts";

/** The nested scopes of a device, with the tensors made in each. */
export class Scopes {
  readonly #scopes: Tensor[][] = [];

  /** Runs `fn` in a new scope; see {@linkcode Gpu.scope}. */
  run<T>(tape: Tape, fn: () => T): T {
    const made: Tensor[] = [];
    const recorded = tape.steps.length;
    this.#scopes.push(made);
    const kept = new Set<Tensor>();
    try {
      const result = fn();
      if (result instanceof Promise) {
        throw new TypeError("Cannot leave the scope as it must be synchronous: found a promise");
      }
      collect(result, kept);
      return result;
    } finally {
      this.#scopes.pop();
      for (const step of tape.steps.splice(recorded)) {
        for (const output of step.outputs) output.tracked = false;
      }
      const outer = this.#scopes.at(-1);
      for (const tensor of made) {
        if (kept.has(tensor)) outer?.push(tensor);
        else tensor.dispose();
      }
    }
  }

  /** Takes a tensor out of the scopes it was made in. */
  keep(tensor: Tensor): void {
    for (const made of this.#scopes) {
      const at = made.lastIndexOf(tensor);
      if (at >= 0) made.splice(at, 1);
    }
  }

  /** Puts a new tensor under the innermost scope. */
  adopt(tensor: Tensor): void {
    this.#scopes.at(-1)?.push(tensor);
  }
}

/** The tensors in a result: of arrays, maps and plain objects too. */
function collect(value: unknown, into: Set<Tensor>): void {
  if (value instanceof Tensor) into.add(value);
  else if (Array.isArray(value)) value.forEach((item) => collect(item, into));
  else if (value instanceof Map) {
    for (const [key, item] of value) {
      collect(key, into);
      collect(item, into);
    }
  } else if (value !== null && typeof value === "object") {
    if (Object.getPrototypeOf(value) === Object.prototype) collect(Object.values(value), into);
  }
}
