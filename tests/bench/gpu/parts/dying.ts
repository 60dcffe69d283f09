// A part whose process dies, as one does on a crash of the driver.
export { adapter } from "./good.ts";

export const measure = () => Deno.exit(7);
