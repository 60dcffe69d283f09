import { assertEquals, assertRejects } from "@std/assert";
import { makeAsterisk, spokenText } from "../../../data/synthetic/asterisk.ts";
import { openCorpus } from "../../../data/corpus/corpus.ts";
import { withFolder } from "../folder.ts";

const prompt = Deno.readFileSync(new URL("../../testdata/audio/sweep.g722", import.meta.url));
const gzip = async (text: string) =>
  new Uint8Array(
    await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer(),
  );

Deno.test("the text of a prompt is what is said, where that is sure", () => {
  const cases = {
    "Press 1 to mute, 2 to lock.": "PRESS ONE TO MUTE TWO TO LOCK",
    "press * then #": "PRESS STAR THEN POUND",
    "dash [-]": "DASH",
    "I'm sorry, that's not valid.": "I'M SORRY THAT'S NOT VALID",
    "[ascending tones]": null,
    "<beep ascending>": null,
    "(1 second of silence)": null,
    "dial 500 now": null,
    "at least a 28.8 kilobit modem": null,
    "3D audio enabled": null,
    "...": null,
  };
  for (const [text, spoken] of Object.entries(cases)) assertEquals(spokenText(text), spoken, text);
});

Deno.test("prompts become a corpus that is split by text", async () => {
  const names = Array.from({ length: 20 }, (_, i) => `digits/${i}`);
  const texts = names.map((name, i) =>
    `${name}: ${["one", "two"][i] ?? `word ${"abcdefghij"[i >> 1]} x`}.\n`
  );
  const list = `; Core Sounds\n\n${texts.join("")}gone: not there\nbeep: [tone]\n`;
  await withFolder({
    ...Object.fromEntries(names.map((name) => [`sounds/${name}.g722`, prompt])),
    "sounds/beep.g722": prompt,
    "texts.gz": await gzip(list),
  }, async (dir) => {
    const options = { out: `${dir}/out`, sounds: `${dir}/sounds`, texts: `${dir}/texts.gz` };
    const made = await makeAsterisk(options);
    const sizes = Object.values(made).map(({ clips }) => clips);
    assertEquals([sizes.reduce((sum, count) => sum + count), Math.min(...sizes)], [20, 2]);
    const subsets = ["train", "dev", "test"].map((subset) =>
      openCorpus(options.out, subset, { task: "asr" })
    );
    const said = (await Promise.all(subsets)).map((utterances) =>
      new Set(utterances.map(({ text }) => text!))
    );
    assertEquals(
      said[0]!.union(said[1]!).union(said[2]!).size,
      said.reduce((sum, texts) => sum + texts.size, 0),
    );
    await assertRejects(() => makeAsterisk(options), Error, "it exists");
    const missing = { ...options, out: `${dir}/other`, texts: `${dir}/none.gz` };
    await assertRejects(
      () => makeAsterisk(missing),
      TypeError,
      "(apt-get install asterisk-core-sounds-en-g722 asterisk-core-sounds-en): there is no ",
    );
    await Deno.writeFile(`${dir}/sounds/digits/7.g722`, new Uint8Array());
    await assertRejects(() => makeAsterisk({ ...options, out: `${dir}/other` }), SyntaxError, "7.g722");
    const left = (await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => name).sort();
    assertEquals(left, ["out", "sounds", "texts.gz"]);
  });
});
