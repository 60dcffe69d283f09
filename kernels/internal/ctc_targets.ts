import { roundUp } from "../../tensor/align.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { showShape } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { ofType } from "./checks.ts";

/** Targets of some utterances on the device, as `ctc.wgsl` reads them; each field has the name of its variable. */
export interface PackedTargets {
  /** `Utterance` structures: frames, states, address of the first state, weight. */
  readonly utterances: Tensor;
  /** States of all utterances in turn: 4·label, + 1 if entered from two before, + 2 if left to two after. */
  readonly path: Tensor;
  /** Indices of the states of each utterance, sorted by label. */
  readonly sorted_states: Tensor;
  /** Where the states of each label start in `sorted_states`, [utterances, V + 1]. */
  readonly label_starts: Tensor;
}

/** Uploads lengths, targets and weights of utterances. */
export function packTargets(
  gpu: Gpu,
  frameLengths: readonly number[],
  targets: readonly (readonly number[])[],
  weights: readonly number[],
  { columns, blank }: { columns: number; blank: number },
): PackedTargets {
  const words = new Int32Array(targets.length * 4);
  const floats = new Float32Array(words.buffer);
  const starts = new Int32Array(targets.length * (columns + 1));
  const path: number[] = [];
  const states: number[] = [];
  targets.forEach((target, utterance) => {
    const labels = [blank, ...target.flatMap((label) => [label, blank])];
    words.set([frameLengths[utterance]!, labels.length, path.length], utterance * 4);
    floats[utterance * 4 + 3] = weights[utterance]!;
    // A path may skip the blank between two labels that differ.
    const skips = (s: number) => s % 2 === 1 && s >= 3 && labels[s] !== labels[s - 2];
    const sorted = [...labels.keys()].sort((a, b) => labels[a]! - labels[b]!);
    let next = 0;
    for (let label = 0; label <= columns; label++) {
      starts[utterance * (columns + 1) + label] = states.length + next;
      while (next < sorted.length && labels[sorted[next]!]! === label) next++;
    }
    labels.forEach((label, s) => {
      const leaves = s + 2 < labels.length && skips(s + 2);
      path.push(4 * label + (skips(s) ? 1 : 0) + (leaves ? 2 : 0));
      states.push(sorted[s]!);
    });
  });
  return uploadTogether(gpu, { utterances: words, path, sorted_states: states, label_starts: starts });
}

/** Arrays of i32 as tensors in one buffer, each where a binding may start: one upload. */
function uploadTogether<Name extends string>(
  gpu: Gpu,
  arrays: Record<Name, ArrayLike<number>>,
): Record<Name, Tensor> {
  const parts = Object.entries(arrays) as [Name, ArrayLike<number>][];
  const starts: number[] = [];
  let size = 0;
  for (const [, { length }] of parts) {
    starts.push(size);
    size = roundUp(size + length);
  }
  const flat = new Int32Array(size);
  parts.forEach(([, array], i) => flat.set(array, starts[i]));
  using all = gpu.tensor(flat);
  return Object.fromEntries(
    parts.map(([name, { length }], i) => [name, new Tensor(gpu, all.storage, [length], "i32", starts[i]!)]),
  ) as Record<Name, Tensor>;
}

/**
 * Checks the inputs of {@linkcode ctc}.
 *
 * @returns B, T and V.
 * @throws {TypeError} If logits is not f32 of three dimensions, or there is not one length and target per utterance.
 * @throws {RangeError} If there is no utterance, a length exceeds T, or a label is out of range or the blank.
 */
export function checkTargets(
  logits: Tensor,
  frameLengths: readonly number[],
  targets: readonly (readonly number[])[],
  blank: number,
): [batch: number, frames: number, columns: number] {
  const doing = "take a CTC loss";
  ofType(doing, "logits", logits, "f32");
  const [batch, frames, columns] = logits.shape;
  const fits = logits.shape.length === 3 && frameLengths.length === batch && targets.length === batch;
  if (batch === undefined || frames === undefined || columns === undefined || !fits) {
    throw new TypeError(
      `Cannot ${doing} as logits must be [B, T, V] with B lengths and B targets: logits are ` +
        `${showShape(logits.shape)}, lengths are [${frameLengths.length}], targets are [${targets.length}]`,
    );
  }
  if (batch === 0) {
    throw new RangeError(`Cannot ${doing} as there must be an utterance: logits are [0, ...]`);
  }
  const whole = (what: string, value: number, end: number) => {
    if (Number.isInteger(value) && value >= 0 && value < end) return;
    throw new RangeError(`Cannot ${doing} as ${what} must be a whole number below ${end}: found ${value}`);
  };
  whole("the blank", blank, columns);
  frameLengths.forEach((length, i) => whole(`frameLengths[${i}]`, length, frames + 1));
  targets.forEach((target, i) =>
    target.forEach((label, at) => {
      whole(`targets[${i}][${at}]`, label, columns);
      if (label !== blank) return;
      throw new RangeError(
        `Cannot ${doing} as labels must not be the blank: targets[${i}][${at}] is ${label}`,
      );
    })
  );
  return [batch, frames, columns];
}
