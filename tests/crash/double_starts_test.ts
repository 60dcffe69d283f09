import { variants } from "../full.ts";
import { DOUBLED, outcomeAlone, startTwice } from "./double_starts.ts";

for (
  const doubled of variants(
    DOUBLED,
    ...DOUBLED.filter(({ command }) => /data commands|download/.test(command.name)),
  )
) {
  Deno.test(`two starts of ${doubled.command.name} at once: one wins, the other ${doubled.second}`, async () => {
    await startTwice(doubled, 0, await outcomeAlone(doubled));
  });
}
