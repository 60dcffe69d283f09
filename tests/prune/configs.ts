// Configs and gates that several tests of pruning start from.
import { type ModelConfig, parseConfig } from "../../model/config.ts";
import type { UnitGroup } from "../../prune/groups.ts";
import type { Fixtures } from "../fixtures.ts";
import { randomNd } from "../oracle/nd.ts";

/** A config of `recipes/configs` or `tests/testdata`. */
export function configOf(name: string): ModelConfig {
  const path = name === "base" || name === "large"
    ? `../testdata/${name}/config.json`
    : `../../recipes/configs/${name}.json`;
  return parseConfig(Deno.readTextFileSync(new URL(path, import.meta.url)), name);
}

/** Tensors of a fixture by group. */
export function byGroup(
  file: Fixtures,
  groups: readonly UnitGroup[],
  prefix: string,
): Map<string, Float64Array> {
  return new Map(groups.map(({ name }) => [name, file.nd(`${prefix}${name}`).data]));
}

/** Log-alphas by group: normal around `mean`, so that some units are open and others closed. */
export function randomLogAlpha(
  groups: readonly UnitGroup[],
  seed: number,
  mean = -1,
): Map<string, Float64Array> {
  return new Map(groups.map(({ name, units }, g) => {
    const shift = randomNd([1], 7000 + seed, 1).data[0]! * Math.sin(g);
    return [name, randomNd([units], 100 * seed + g, 3).data.map((a) => a + mean + shift)];
  }));
}
