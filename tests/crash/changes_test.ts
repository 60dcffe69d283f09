// What --resume does after each of ten changes, as the table in docs/reliability.md states.
import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { Journal } from "../../prune/run/stages.ts";
import { loadRunState, saveRunState, type StateTensor } from "../../train/run_state.ts";
import { outcome, withModel } from "../prune/run/pruned_tones.ts";
import { full } from "../full.ts";
import { assertMistake, run, withCorpus } from "../train/tone_corpus.ts";

/** Places of a run: its corpus, its model, its folder. */
interface Places {
  readonly dir: string;
  readonly out: string;
}

/** A change, and the words that --resume is given with it. */
interface Change {
  readonly make: (places: Places) => Promise<void>;
  readonly words?: readonly string[];
}

const read = (path: string) => Deno.readTextFile(path);
const edit = async (path: string, change: (text: string) => string) => {
  const text = await read(path);
  assertNotEquals(change(text), text, path);
  await Deno.writeTextFile(path, change(text));
};
const lines = (text: string) => text.trimEnd().split("\n");

/** The changes, by their names in the table. */
const CHANGES: Readonly<Record<string, Change>> = {
  "corpus grown": {
    make: ({ dir }) =>
      edit(`${dir}/corpus/train.jsonl`, (text) => `${text}\n{"audio": "ace.wav", "text": "ace"}`),
  },
  "corpus shrunk": {
    make: ({ dir }) => edit(`${dir}/corpus/train.jsonl`, (text) => lines(text).slice(1).join("\n")),
  },
  "transcripts changed": {
    make: ({ dir }) => edit(`${dir}/corpus/train.jsonl`, (text) => text.replace("abc!", "cba!")),
  },
  "test set changed": {
    make: ({ dir }) => edit(`${dir}/corpus/test.jsonl`, (text) => text.replace("ace!", "eca!")),
  },
  "model changed": {
    make: async ({ dir }) => {
      const bytes = await Deno.readFile(`${dir}/model/model.safetensors`);
      bytes[bytes.length - 2]! ^= 1;
      await Deno.writeFile(`${dir}/model/model.safetensors`, bytes);
    },
  },
  "model gone": { make: ({ dir }) => Deno.remove(`${dir}/model`, { recursive: true }) },
  "vocabulary changed": {
    make: async ({ dir, out }) => {
      const path = out.endsWith("trained") ? out : `${dir}/model`;
      await edit(`${path}/vocab.json`, (text) => text.replace('"A"', '"Z"').replace('"a"', '"z"'));
    },
  },
  "options": { make: () => Promise.resolve(), words: ["--dropout", "0.3"] },
  "program version": {
    make: async ({ out }) => {
      const journal = await Journal.open(`${out}/run/journal.json`);
      if (journal) return await journal.redo([], { ...journal.fingerprints, version: "0.0.1" });
      const { step, info, tensors } = (await loadRunState(`${out}/state`))!;
      const fingerprints = { ...info["fingerprints"] as Record<string, string>, version: "0.0.1" };
      await saveRunState(`${out}/state`, {
        step,
        info: { ...info, fingerprints },
        tensors: sources(tensors),
      });
    },
  },
  "journal damaged": {
    make: async ({ out }) => {
      const journal = `${out}/run/journal.json`;
      if (await read(journal).catch(() => null)) {
        return await edit(journal, (text) => text.replace('"prune"', '"brune"'));
      }
      const { path } = (await loadRunState(`${out}/state`))!;
      await edit(`${path}/run.json`, (text) => text.replace('"stale"', '"stole"'));
    },
  },
};

function sources(tensors: ReadonlyMap<string, StateTensor>) {
  return new Map([...tensors].map(([name, { shape, data }]) => {
    const dtype = data instanceof Float64Array ? "F64" as const : "F32" as const;
    return [name, { shape, dtype, read: () => Promise.resolve(data) }] as const;
  }));
}

/** What the table states of a command, by change. */
async function documented(command: "prune" | "train"): Promise<Record<string, string>> {
  const text = await read(decodeURIComponent(new URL("../../docs/reliability.md", import.meta.url).pathname));
  const rows = lines(text).filter((line) => line.startsWith("| ")).map((line) =>
    line.split("|").map((cell) => cell.trim())
  );
  const head = rows.find((row) => row[1] === "changed since the run began")!;
  const column = head.indexOf(`\`${command} --resume\``);
  return Object.fromEntries(
    rows.slice(rows.indexOf(head) + 2).filter((row) => row[1]! in CHANGES).map((
      row,
    ) => [row[1]!, row[column]!]),
  );
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.remove(to, { recursive: true }).catch(() => {});
  await new Deno.Command("cp", { args: ["-r", from, to] }).output();
}

/** Makes a change, does something and takes the change back. */
async function withChange(places: Places, change: Change, test: () => Promise<void>): Promise<void> {
  const kept = ["corpus", "model"];
  for (const name of kept) await copyFolder(`${places.dir}/${name}`, `${places.dir}/kept-${name}`);
  try {
    await change.make(places);
    await test();
  } finally {
    for (const name of kept) await copyFolder(`${places.dir}/kept-${name}`, `${places.dir}/${name}`);
  }
}

Deno.test("prune --resume after each of ten changes does what the table states", () =>
  withModel("asr", async (dir, prune) => {
    await Deno.copyFile(`${dir}/corpus/dev.jsonl`, `${dir}/corpus/test.jsonl`);
    const whole = await prune("--out", `${dir}/whole`);
    assertEquals(whole.status, 0, whole.err);
    const table = await documented("prune");
    assertEquals(Object.keys(table), Object.keys(CHANGES));
    const accepted = {
      "corpus grown": [
        "pruning by",
        "evaluating the compact",
        "fine-tuning",
        "evaluating the fine-tuned",
        "measuring",
      ],
      "test set changed": [
        "evaluating the model before",
        "evaluating the compact",
        "evaluating the fine-tuned",
      ],
      "program version": [],
    } as Readonly<Record<string, readonly string[]>>;
    for (const [name, change] of Object.entries(CHANGES)) {
      const places = { dir, out: `${dir}/out` };
      await copyFolder(`${dir}/whole`, places.out);
      await withChange(places, change, async () => {
        const resume = ["prune", "--resume", "--out", places.out, ...change.words ?? []];
        assert(table[name]!.startsWith("refused"), name);
        const refused = await run(...resume);
        assertMistake(refused, name === "model gone" ? `${dir}/model` : places.out);
        const mayAccept = refused.err.includes("--accept-changes");
        assertEquals(mayAccept, table[name]!.includes("`--accept-changes`"), `${name}: ${refused.err}`);
        const stages = accepted[name];
        if (!stages || !full && name === "corpus grown") return;
        const again = await run(...resume, "--accept-changes");
        assertEquals(again.status, 0, again.err);
        const logged = lines(again.err).filter((line) =>
          /^(evaluating|pruning by|fine-tuning|measuring)/.test(line)
        );
        assertEquals(logged.length, stages.length, again.err);
        stages.forEach((stage, i) => assertStringIncludes(logged[i]!, stage));
        if (name === "corpus grown") {
          const anew = await prune("--out", `${dir}/anew`);
          assertEquals(anew.status, 0, anew.err);
          assertEquals(await outcome(places.out), await outcome(`${dir}/anew`));
        } else assertEquals(await outcome(places.out), await outcome(`${dir}/whole`));
        assertEquals((await run(...resume)).status, 0); // the change is known now
      });
    }
  }));

Deno.test("train --resume after each of ten changes does what the table states", () =>
  withCorpus(async (dir) => {
    await Deno.copyFile(`${dir}/corpus/dev.jsonl`, `${dir}/corpus/test.jsonl`);
    const first = await run(
      "train",
      "--recipe",
      `${dir}/recipe.json`,
      "--lr",
      "1e-3",
      "--steps",
      "2",
      "--out",
      `${dir}/model`,
    );
    assertEquals(first.status, 0, first.err);
    const words = [
      "train",
      "--model",
      `${dir}/model`,
      "--data",
      `${dir}/corpus`,
      "--batch-seconds",
      "1.5",
      "--warmup",
      "0",
    ];
    const whole = await run(
      ...words,
      "--steps",
      "5",
      "--save-every",
      "2",
      "--eval-every",
      "2",
      "--out",
      `${dir}/whole`,
    );
    assertEquals(whole.status, 0, whole.err);
    const table = await documented("train");
    assertEquals(Object.keys(table), Object.keys(CHANGES));
    for (const [name, change] of Object.entries(CHANGES)) {
      const places = { dir, out: `${dir}/trained` };
      await copyFolder(`${dir}/whole`, places.out);
      await withChange(places, change, async () => {
        const resume = ["train", "--resume", "--steps", "6", "--out", places.out, ...change.words ?? []];
        const result = await run(...resume);
        if (table[name]!.startsWith("resumes")) {
          assertEquals(result.status, 0, `${name}: ${result.err}`);
          if (name === "journal damaged") assertStringIncludes(result.err, "the checksum differs");
          return;
        }
        assert(table[name]!.startsWith("refused"), name);
        assertMistake(result, places.out);
        const mayAccept = result.err.includes("--accept-changes");
        assertEquals(mayAccept, table[name]!.includes("`--accept-changes`"), `${name}: ${result.err}`);
        if (!full && mayAccept && name !== "corpus grown") return;
        const again = await run(...resume, "--accept-changes");
        if (!mayAccept) return assertMistake(again, places.out);
        assertEquals(again.status, 0, again.err);
        if (name !== "program version") {
          assertStringIncludes(again.err, "training resumes at the start of an epoch");
        }
        assertEquals((await loadRunState(`${places.out}/state`))!.step, 6);
      });
    }
  }));
