// Lists and Parquet files that are changed at random.
import { openCorpus } from "../../../data/corpus/corpus.ts";
import { OddRow } from "../../../data/corpus/odd_rows.ts";
import { readAudioFile } from "../../../data/corpus/parquet_rows.ts";
import { ParquetFile } from "../../../data/parquet/file.ts";
import { testMutations } from "../../mutations.ts";
import { tone } from "../folder.ts";

const dir = Deno.makeTempDirSync();
addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));

const write = (name: string, content: string | Uint8Array) => {
  const path = `${dir}/${name}`;
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  Deno.writeFileSync(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
};

/** Opens a corpus, with an error for the first odd row too. */
async function open(folder: string): Promise<void> {
  try {
    await openCorpus(`${dir}/${folder}`, "train", { task: "asr", strict: true });
  } catch (error) {
    throw error instanceof OddRow ? new SyntaxError(error.message) : error;
  }
}

const words = ["hello there", 'he said "no', "été", "four", "five"];

testMutations(
  "a list of Common Voice",
  () => {
    words.forEach((_, i) => write(`cv/clips/${i}.wav`, tone(0.1)));
    const rows = words.map((text, i) => `speaker${i}\t${i}.wav\t${text}\t2\t0\n`);
    return new TextEncoder().encode(`client_id\tpath\tsentence\tup_votes\tdown_votes\n${rows.join("")}`);
  },
  async (mutant) => {
    write("cv/train.tsv", mutant);
    await open("cv");
  },
);

testMutations(
  "the tables of Kaldi",
  () => {
    write("wav/a.wav", tone(0.5));
    const tables = [
      "rec wav/a.wav\n",
      words.map((_, i) => `utt-${i} rec ${i / 10} ${(i + 1) / 10}\n`).join(""),
      words.map((text, i) => `utt-${i} ${text}\n`).join(""),
    ];
    return new TextEncoder().encode(tables.join("\0"));
  },
  async (mutant) => {
    const tables = new TextDecoder().decode(mutant).split("\0");
    ["wav.scp", "segments", "text"].forEach((name, i) => write(`data/train/${name}`, tables[i] ?? ""));
    await open("data/train");
  },
);

const shards = new URL("../../testdata/parquet/", import.meta.url);

for (const [name, column] of [["snappy", "text"], ["gzip", "int64"], ["zstd", "double"]] as const) {
  testMutations(
    `Parquet columns in ${name}`,
    () => Deno.readFileSync(new URL(`${name}.parquet`, shards)),
    async (mutant) => {
      write("rows.parquet", mutant);
      using file = await ParquetFile.open(`${dir}/rows.parquet`);
      for (const group of file.groups.keys()) {
        for (const path of [["audio", "bytes"], [column]]) await file.column(path, group);
      }
    },
  );
}

testMutations(
  "a data set in Parquet files",
  () => Deno.readFileSync(new URL("dataset/data/validation-00000-of-00001.parquet", shards)),
  async (mutant) => {
    write("set/train.parquet", mutant);
    await open("set");
    using file = await ParquetFile.open(`${dir}/set/train.parquet`);
    await readAudioFile(file, "set/train.parquet", 0);
  },
);
