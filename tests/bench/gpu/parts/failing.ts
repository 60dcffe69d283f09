// A part that saves something, then fails.
export { adapter } from "./good.ts";

export async function measure(_request: unknown, save: (result: unknown) => Promise<void>): Promise<never> {
  await save({ name: "an adapter", value: 1 });
  throw new RangeError("Cannot measure as the kernel must compile: it does not");
}
