/** Values by name, such as the fields of `Params`. The functions are loops for speed: every dispatch calls them. */
export type ParamFields = Readonly<Record<string, number>>;

/** The fields, each with `prefix` and an underscore before its name. */
export function prefixed(prefix: string, fields: ParamFields): Record<string, number> {
  const named: Record<string, number> = {};
  for (const name in fields) named[`${prefix}_${name}`] = fields[name]!;
  return named;
}

/** The fields, each divided by `by`. */
export function divided(fields: ParamFields, by: number): Record<string, number> {
  const quotients: Record<string, number> = {};
  for (const name in fields) quotients[name] = fields[name]! / by;
  return quotients;
}

/** Whether all of the fields are multiples of `of`. */
export function areMultiples(fields: ParamFields, of: number): boolean {
  for (const name in fields) if (fields[name]! % of !== 0) return false;
  return true;
}
