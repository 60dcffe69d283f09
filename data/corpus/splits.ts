// Names of the splits of Hugging Face's data sets.

const DEV = ["validation", "valid", "val", "devel", "eval"];

/** Name of a split as a subset: the validation split, in all its spellings, is `dev`. */
export function subsetOfSplit(split: string): string {
  return DEV.includes(split.toLowerCase()) ? "dev" : split;
}

/** Whether a name is that of a split. */
export function isSplit(name: string): boolean {
  return /^(train|test|dev)([-._].*)?$/i.test(subsetOfSplit(name));
}
