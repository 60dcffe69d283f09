/** One value as it appears in a failure, cut at a few lines: tensors are long. */
export function format(value: unknown): string {
  return Deno.inspect(value, { depth: 6, iterableLimit: 24, strAbbreviateSize: 2000 });
}

/** The sentence's end: the caller's own words if there are any. */
export function suffix(msg: string | undefined): string {
  return msg ? `: ${msg}` : ".";
}
