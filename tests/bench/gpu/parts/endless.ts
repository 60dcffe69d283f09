// A part that starts a process, saves, and never ends.
export { adapter } from "./good.ts";

export async function measure(_request: unknown, save: (result: unknown) => Promise<void>): Promise<never> {
  const child = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  await save({ name: "an adapter", pid: child.pid });
  while (true);
}
