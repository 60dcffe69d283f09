// The default suite tests every shader, entry point and rule; the full one, `./espalier test:full`, every kernel with
// every operation, too, at more sizes and for longer.

/** Whether this run is of the full suite. */
export const full = Deno.env.get("ESPALIER_TESTS") === "full";

/** What a test is registered for: all variants in the full suite, the representatives in the default one. */
export function variants<T>(all: readonly T[], ...representatives: readonly NoInfer<T>[]): readonly T[] {
  return full ? all : representatives;
}
