type Pairs = Map<object, Set<object>>;

/** Whether two values are equal in depth: same kind, same own enumerable properties. NaN equals NaN. */
export function equal(a: unknown, b: unknown): boolean {
  return compare(a, b, new Map());
}

function compare(a: unknown, b: unknown, met: Pairs): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (kind(a) !== kind(b)) return false;
  if (a instanceof WeakMap || a instanceof WeakSet) {
    throw new TypeError(`Cannot compare as its entries are hidden: a ${a.constructor.name}`);
  }
  if (a instanceof Date) return Object.is(a.getTime(), (b as Date).getTime());
  if (a instanceof RegExp || a instanceof URL) return String(a) === String(b);

  // A pair met again on the way down is a cycle: it is equal if all the rest is.
  if (met.get(a)?.has(b)) return true;
  met.set(a, (met.get(a) ?? new Set()).add(b));

  if (ArrayBuffer.isView(a) && !(a instanceof DataView)) return sameItems(a, b as typeof a);
  if (a instanceof Set) return sameEntries([...a], [...b as Set<unknown>], met);
  if (a instanceof Map) return sameEntries([...a], [...b as Map<unknown, unknown>], met);
  if (a instanceof ArrayBuffer) {
    return sameItems(new Uint8Array(a), new Uint8Array(b as ArrayBuffer));
  }
  return sameProperties(a, b, met);
}

/** What both must share; an object without a prototype counts as a plain one. */
function kind(value: object): unknown {
  return value.constructor ?? Object;
}

function sameItems(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const [x, y] = [a, b] as unknown as [ArrayLike<number>, ArrayLike<number>];
  if (x.length !== y.length) return false;
  for (let i = 0; i < x.length; i++) {
    if (x[i] !== y[i] && !Object.is(x[i], y[i])) return false;
  }
  return true;
}

function sameEntries(a: unknown[], b: unknown[], met: Pairs): boolean {
  if (a.length !== b.length) return false;
  const left = [...b];
  for (const entry of a) {
    const at = left.findIndex((other) => compare(entry, other, met));
    if (at < 0) return false;
    left.splice(at, 1);
  }
  return true;
}

function sameProperties(a: object, b: object, met: Pairs): boolean {
  const keys = ownKeys(a);
  if (keys.length !== ownKeys(b).length) return false;
  const [x, y] = [a, b] as Record<PropertyKey, unknown>[];
  return keys.every((key) => Object.hasOwn(b, key) && compare(x?.[key], y?.[key], met));
}

function ownKeys(value: object): PropertyKey[] {
  const symbols = Object.getOwnPropertySymbols(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key)
  );
  return [...Object.keys(value), ...symbols];
}
