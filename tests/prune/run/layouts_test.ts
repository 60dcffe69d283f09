import { assert, assertEquals } from "@std/assert";
import { parquetWriteBuffer } from "npm:hyparquet-writer@0.17.0";
import { encodeWav } from "../../../data/audio/wav_write.ts";
import { decodeBytes } from "../../../data/audio/audio.ts";
import type { PruneReport } from "../../../prune/report/report.ts";
import { put } from "../../data/folder.ts";
import { variants } from "../../full.ts";
import { SMALL, withModel } from "./pruned_tones.ts";

/** An utterance of the corpus of tones. */
interface Clip {
  readonly name: string;
  readonly text: string;
  readonly bytes: Uint8Array;
}

type Files = Record<string, string | Uint8Array>;
/** Files of a subset in a layout. */
type Writer = (subset: string, clips: readonly Clip[]) => Files | Promise<Files>;

const filesOf = (folder: string, clips: readonly Clip[]): Files =>
  Object.fromEntries(clips.map(({ name, bytes }) => [`${folder}/${name}.wav`, bytes]));
const linesOf = (clips: readonly Clip[], line: (clip: Clip, i: number) => string) =>
  clips.map(line).join("\n") + "\n";

/** Structs of bytes and path, and text. */
const SCHEMA = [
  { name: "root", num_children: 2 },
  { name: "audio", num_children: 2, repetition_type: "OPTIONAL" as const },
  { name: "bytes", type: "BYTE_ARRAY" as const, repetition_type: "OPTIONAL" as const },
  {
    name: "path",
    type: "BYTE_ARRAY" as const,
    converted_type: "UTF8" as const,
    repetition_type: "OPTIONAL" as const,
  },
  {
    name: "text",
    type: "BYTE_ARRAY" as const,
    converted_type: "UTF8" as const,
    repetition_type: "OPTIONAL" as const,
  },
];

const LAYOUTS: Readonly<Record<string, Writer>> = {
  parquet: (subset, clips) => {
    const audio = clips.map(({ name, bytes }) => ({ bytes, path: `${name}.wav` }));
    const columnData = [{ name: "audio", data: audio }, {
      name: "text",
      data: clips.map(({ text }) => text),
    }];
    const buffer = parquetWriteBuffer({ schema: SCHEMA, columnData, rowGroupSize: 2 });
    return { [`data/${subset}-00000-of-00001.parquet`]: new Uint8Array(buffer) };
  },
  // One long file, of which each utterance is a part.
  "nemo": async (subset, clips) => {
    const sounds = await Promise.all(
      clips.map(async ({ bytes, name }) => (await decodeBytes(bytes, name)).samples),
    );
    const all = Int16Array.from(
      sounds.flatMap((sound) => [...sound, ...new Float32Array(800)]).map((x) => x * 32768),
    );
    let offset = 0;
    const rows = linesOf(clips, ({ text }, i) => {
      const [start, duration] = [offset / 16_000, sounds[i]!.length / 16_000];
      offset += sounds[i]!.length + 800;
      return JSON.stringify({ audio_filepath: `${subset}.wav`, text, duration, offset: start });
    });
    return { [`${subset}.jsonl`]: rows, [`${subset}.wav`]: encodeWav(all, 16_000) };
  },
  "common voice": (subset, clips) => ({
    [`${subset}.tsv`]: "client_id\tpath\tsentence\n" +
      linesOf(clips, ({ name, text }) => `me\t${name}.wav\t${text}`),
    ...filesOf("clips", clips),
  }),
  kaldi: (subset, clips) => ({
    [`data/${subset}/wav.scp`]: linesOf(clips, ({ name }) => `${name} wav/${name}.wav`),
    [`data/${subset}/text`]: linesOf(clips, ({ name, text }) => `${name} ${text}`),
    [`data/${subset}/utt2spk`]: linesOf(clips, ({ name }) => `${name} ${name}`),
    ...filesOf("wav", clips),
  }),
  audiofolder: (subset, clips) => ({
    [`${subset}/metadata.csv`]: "file_name,transcription\n" +
      linesOf(clips, ({ name, text }) => `${name}.wav,"${text}"`),
    ...filesOf(subset, clips),
  }),
  librispeech: (subset, clips) => ({
    [`${subset}/1/2/1-2.trans.txt`]: linesOf(clips, ({ name, text }) => `${name} ${text}`),
    ...filesOf(`${subset}/1/2`, clips),
  }),
  slurp: (subset, clips) => ({
    [`dataset/slurp/${subset}.jsonl`]: linesOf(
      clips,
      ({ name, text }) => JSON.stringify({ sentence: text, recordings: [{ file: `${name}.wav` }] }),
    ),
    ...filesOf("audio/slurp_real", clips),
  }),
};

Deno.test("prune ends with the same weights on the same corpus in every layout", () =>
  withModel("asr", async (dir, prune) => {
    const result = async (data: string, out: string) => {
      const small = [...SMALL, "--steps", "2", "--finetune-steps", "0", "--target", "0.3", "--json"];
      const { status, out: printed, err } = await prune("--data", data, "--out", out, ...small);
      assertEquals(status, 0, err);
      const { models } = JSON.parse(printed) as PruneReport;
      assert(!err.includes("skipped"), err);
      return {
        errors: models.map(({ wer, cer }) => ({ wer, cer })),
        weights: (await Deno.readFile(`${out}/model.safetensors`)).toBase64(),
      };
    };
    const subset = async (name: string): Promise<Clip[]> => {
      const lines = (await Deno.readTextFile(`${dir}/corpus/${name}.jsonl`)).trim().split("\n");
      return await Promise.all(lines.map(async (line) => {
        const { audio, text } = JSON.parse(line);
        return {
          name: audio.replace(".wav", ""),
          text,
          bytes: await Deno.readFile(`${dir}/corpus/${audio}`),
        };
      }));
    };
    const [train, dev] = [await subset("train"), await subset("dev")];
    const expected = await result(`${dir}/corpus`, `${dir}/out`);
    for (const layout of variants(Object.keys(LAYOUTS), "parquet")) {
      const files = { ...await LAYOUTS[layout]!("train", train), ...await LAYOUTS[layout]!("dev", dev) };
      await put(`${dir}/${layout}`, files);
      assertEquals(await result(`${dir}/${layout}`, `${dir}/out ${layout}`), expected, layout);
    }
  }));
