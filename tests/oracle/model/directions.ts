// Derivatives of a function of many named arrays, such as the weights of a model, along a direction in all of them.
import { type Nd, nd, randomNd } from "../nd.ts";

/** A direction in the arrays that `pick` names, all of them unless given: of length 1 over all together. */
export function randomDirection(
  values: ReadonlyMap<string, Nd>,
  seed: number,
  pick: (name: string) => boolean = () => true,
): Map<string, Nd> {
  const direction = new Map<string, Nd>();
  for (const [name, { shape }] of values) {
    if (pick(name)) direction.set(name, randomNd(shape, 1e6 + 1000 * seed + direction.size));
  }
  let squares = 0;
  for (const { data } of direction.values()) for (const v of data) squares += v * v;
  for (const { data } of direction.values()) data.forEach((v, i) => data[i] = v / Math.sqrt(squares));
  return direction;
}

/** The arrays moved by `by` times the direction; those it does not name are the same objects. */
export function moved(
  values: ReadonlyMap<string, Nd>,
  direction: ReadonlyMap<string, Nd>,
  by: number,
): Map<string, Nd> {
  const result = new Map(values);
  for (const [name, { data }] of direction) {
    const x = values.get(name)!;
    result.set(name, nd(x.shape, x.data.map((v, i) => v + by * data[i]!)));
  }
  return result;
}

/** Derivative of f along a direction of length near 1, by one central difference: two calls of f. */
export function slopeAlong(
  f: (values: Map<string, Nd>) => number,
  values: ReadonlyMap<string, Nd>,
  direction: ReadonlyMap<string, Nd>,
  step = 1e-4,
): number {
  return (f(moved(values, direction, step)) - f(moved(values, direction, -step))) / (2 * step);
}
