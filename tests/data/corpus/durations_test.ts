import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { withSeconds } from "../../../data/corpus/durations.ts";
import { tone, withFolder } from "../folder.ts";

const audio = new URL("../../testdata/audio/tone_44k_stereo.mp3", import.meta.url).pathname;

Deno.test("durations are the corpus's, the header's, or those of the decoded audio, also of many files", () =>
  withFolder({ "a.wav": tone(0.25), "broken.mp3": "ID3 and nothing else" }, async (dir) => {
    const wav = `${dir}/a.wav`;
    const [one] = await withSeconds([{ id: "mp3", audio }]);
    assertAlmostEquals(one!.seconds, 0.3, 0.03);
    const many = Array.from({ length: 20 }, (_, i) => ({ id: `${i}`, audio }));
    const mixed = [{ id: "stated", audio: wav, seconds: 7 }, ...many.slice(0, 9), {
      id: "header",
      audio: wav,
    }];
    const last = { id: "rest", audio: wav, segment: { offset: 0.05 } };
    assertEquals(
      (await withSeconds([...mixed, ...many.slice(9), last])).map(({ id, seconds }) => [id, seconds]),
      [
        ["stated", 7],
        ...many.slice(0, 9).map(({ id }) => [id, one!.seconds]),
        ["header", 0.25],
        ...many.slice(9).map(({ id }) => [id, one!.seconds]),
        ["rest", 0.2],
      ],
    );
    const broken = { id: "broken", audio: `${dir}/broken.mp3` };
    for (const list of [[broken], [...many, broken]]) {
      await assertRejects(() => withSeconds(list), SyntaxError, `Cannot read ${dir}/broken.mp3 as audio`);
    }
  }));
