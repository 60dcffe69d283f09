import { Fields, isObject } from "./fields.ts";

/** Shares of a cost that were removed, from 0 to 1: one, or one by constraint where a method has several. */
export type RemovedShare = number | Readonly<Record<string, number>>;

/** How a compact model was made: what `espalier.json` in its folder says of its cost. */
export interface PruningRecord {
  /** What was counted: `size`, `sep-size` or `mac`. */
  readonly method: string;
  /** Share that was to be removed. */
  readonly target: RemovedShare;
  /** Share that was. */
  readonly achieved: RemovedShare;
}

/**
 * Reads an `espalier.json`.
 *
 * @param text Content of the file.
 * @param name What to call it in errors, such as its path.
 * @throws {SyntaxError} If the text is no JSON object; like the others one line that names file and field.
 * @throws {TypeError} If a field is missing or of the wrong type.
 * @throws {RangeError} If a share is not from 0 to 1.
 *
 * @example
 * ```ts
 * import { parsePruningRecord } from "./pruning_record.ts";
 *
 * parsePruningRecord('{ "method": "mac", "target": 0.5, "achieved": 0.499 }').target; // 0.5
 * ```
 */
export function parsePruningRecord(text: string, name = "espalier.json"): PruningRecord {
  const fields = new Fields(text, name);
  const method = fields.word("method", ["size", "sep-size", "mac"]);
  return { method, target: share(fields, "target"), achieved: share(fields, "achieved") };
}

function share(fields: Fields, key: string): RemovedShare {
  const value = fields.raw[key];
  const check = (share: unknown) => {
    if (typeof share !== "number") return fields.fail(key, "must be a share, or shares by name");
    return share >= 0 && share <= 1 ? share : fields.refuse(key, "must be from 0 to 1");
  };
  if (!isObject(value)) return check(value);
  return Object.fromEntries(Object.entries(value).map(([name, share]) => [name, check(share)]));
}
