import { assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { variants } from "../full.ts";
import { growth, type Sample } from "./growth.ts";

/** Samples of a run whose memory jumps by a few percent and stays. */
const flat = (change: (i: number) => Partial<Sample> = () => ({})): Sample[] =>
  Array.from({ length: 30 }, (_, i) => ({
    step: 100 * (i + 1),
    rss: 300e6 + (i > 20 ? 20e6 : 0) + 1e6 * (i % 3),
    heap: 15e6 + 1e5 * (i % 5),
    buffers: i % 2,
    pooled: 3e5,
    textures: 0,
    pipelines: 57,
    files: 38 + i % 4,
    ...change(i),
  }));

Deno.test("what grows in a soak is found, what only varies is not", () => {
  assertEquals(growth(flat()), []);
  assertEquals(growth(flat((i) => ({ pipelines: Math.min(57, 10 * i) }))), [], "warming up is no growth");
  assertEquals(growth(flat((i) => ({ files: 38 + i }))), ["files grow from 57 to 67"]);
  assertEquals(growth(flat((i) => ({ buffers: Math.floor(i / 5) }))), ["buffers grow from 3 to 5"]);
  assertEquals(growth(flat((i) => ({ heap: 15e6 + 2e5 * i }))), ["heap grows from 18.0 to 20.0 MB"]);
  assertEquals(growth(flat((i) => ({ rss: 300e6 + 5e6 * i }))), ["rss grows from 375.0 to 425.0 MB"]);
});

// The long form is `deno task soak`.
for (const steps of variants([1500])) {
  Deno.test(`training and transcribing for ${steps} steps holds the same memory, buffers and files`, async () => {
    const [, ...words] = config.tasks.soak.command.split(" ");
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...words, "--steps", `${steps}`, "--every", "50"],
      cwd: new URL("../../", import.meta.url),
    }).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals(success, true, `${out}${err}`);
    assertStringIncludes(out!, "nothing grows");
  });
}
