import type { Gpu } from "../../tensor/gpu.ts";
import { showShape, type Tensor } from "../../tensor/tensor.ts";
import { ofType } from "./checks.ts";

/** What the CTC shader knows of some clips, each a tensor by the name of the variable. */
export interface PackedTargets {
  /** `Clip` structures: frames, states, place of the first state, weight. */
  readonly clips: Tensor;
  /** States of all clips, one clip after the other: 4·label, + 1 if from two before, + 2 if to two after. */
  readonly path: Tensor;
  /** For each clip the numbers of its states, those of one label together. */
  readonly places: Tensor;
  /** Where the places of each label start, [clips, V + 1]. */
  readonly starts: Tensor;
}

/** Puts lengths, targets and weights of clips on the device. */
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
  const places: number[] = [];
  targets.forEach((target, clip) => {
    const labels = [blank, ...target.flatMap((label) => [label, blank])];
    words.set([frameLengths[clip]!, labels.length, path.length], clip * 4);
    floats[clip * 4 + 3] = weights[clip]!;
    // A path may jump over the blank between two labels that differ.
    const jumps = (s: number) => s % 2 === 1 && s >= 3 && labels[s] !== labels[s - 2];
    const sorted = [...labels.keys()].sort((a, b) => labels[a]! - labels[b]!);
    let next = 0;
    for (let label = 0; label <= columns; label++) {
      starts[clip * (columns + 1) + label] = places.length + next;
      while (next < sorted.length && labels[sorted[next]!]! === label) next++;
    }
    labels.forEach((label, s) => {
      const leaves = s + 2 < labels.length && jumps(s + 2);
      path.push(4 * label + (jumps(s) ? 1 : 0) + (leaves ? 2 : 0));
      places.push(sorted[s]!);
    });
  });
  return {
    clips: gpu.tensor(words),
    path: gpu.tensor(Int32Array.from(path)),
    places: gpu.tensor(Int32Array.from(places)),
    starts: gpu.tensor(starts),
  };
}

/** Refuses what {@linkcode ctc} cannot take, and returns [B, T, V]. */
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
  if (batch === 0) throw new RangeError(`Cannot ${doing} as there must be a clip: logits are [0, ...]`);
  const whole = (what: string, value: number, end: number) => {
    if (Number.isInteger(value) && value >= 0 && value < end) return;
    throw new RangeError(`Cannot ${doing} as ${what} must be a whole number below ${end}: found ${value}`);
  };
  whole("the blank", blank, columns);
  frameLengths.forEach((length, clip) => whole(`frameLengths[${clip}]`, length, frames + 1));
  targets.forEach((target, clip) =>
    target.forEach((label, at) => {
      whole(`targets[${clip}][${at}]`, label, columns);
      if (label !== blank) return;
      throw new RangeError(`Cannot ${doing} as no label is the blank: targets[${clip}][${at}] is ${label}`);
    })
  );
  return [batch, frames, columns];
}
