import { assertEquals, assertStringIncludes } from "@std/assert";
import { acquireLock } from "../../files/lock.ts";
import { put } from "../data/folder.ts";
import { withEnv } from "../env.ts";
import { run } from "./run.ts";

/** Caches in a folder of their own, beside files that are not the program's. */
async function withCaches(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "espalier-test-" });
  const hub = "huggingface/hub";
  await put(dir, {
    "espalier/commands1-3-2-1-s0/corpus.json": "{}",
    "espalier/commands1-9-2-1-s0.partial/corpus.json": "{}",
    "espalier/gemm/llvmpipe.json": "{}",
    "espalier/notes.txt": "of the user",
    [`${hub}/models--org--speech/snapshots/a/config.json`]: '{"model_type": "wav2vec2"}',
    [`${hub}/models--org--speech/blobs/b`]: "weights",
    [`${hub}/models--org--speech/blobs/c.incomplete`]: "half",
    [`${hub}/models--org--text/snapshots/a/config.json`]: '{"model_type": "llama"}',
    [`${hub}/models--org--text/blobs/c.incomplete`]: "of another program",
    "other/commands1-1-1-1-s0/corpus.json": "{}",
  });
  await Deno.symlink(`${dir}/other`, `${dir}/espalier/commands1-link`);
  await Deno.symlink(`${dir}/other`, `${dir}/espalier/commands1-3-2-1-s0/link`);
  const unset = { HF_HOME: undefined, HF_HUB_CACHE: undefined, HUGGINGFACE_HUB_CACHE: undefined };
  try {
    await withEnv({ ...unset, XDG_CACHE_HOME: dir }, () => test(dir));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Paths of all files and links below a folder. */
async function filesIn(dir: string, at = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${dir}/${at}`)) {
    if (isDirectory) found.push(...await filesIn(dir, `${at}${name}/`));
    else found.push(`${at}${name}`);
  }
  return found.sort();
}

Deno.test("cache lists what the program keeps, and nothing of other programs", () =>
  withCaches(async (dir) => {
    const json = JSON.parse((await run("cache", "--json")).out[0]!);
    const listed = json.entries.map(({ kind, path }: { kind: string; path: string }) => [
      kind,
      path.slice(dir.length + 1),
    ]);
    assertEquals(listed, [
      ["corpora", "espalier/commands1-3-2-1-s0"],
      ["tuning", "espalier/gemm/llvmpipe.json"],
      ["partial", "espalier/commands1-9-2-1-s0.partial"],
      ["partial", "huggingface/hub/models--org--speech/blobs/c.incomplete"],
      ["models", "huggingface/hub/models--org--speech"],
    ]);
    const { bytes } = json.entries.at(-1);
    assertEquals(bytes, '{"model_type": "wav2vec2"}weights'.length);
    const text = (await run("cache")).out[0]!;
    for (const part of [`in ${dir}/espalier`, "org/speech", "commands1-3-2-1-s0"]) {
      assertStringIncludes(text, part);
    }
  }));

Deno.test("cache clear removes a kind, or all but models, and nothing else", () =>
  withCaches(async (dir) => {
    const others = [
      "espalier/commands1-link",
      "espalier/notes.txt",
      "huggingface/hub/models--org--text/blobs/c.incomplete",
      "huggingface/hub/models--org--text/snapshots/a/config.json",
      "other/commands1-1-1-1-s0/corpus.json",
    ];
    const model = ["blobs/b", "snapshots/a/config.json"].map((name) =>
      `huggingface/hub/models--org--speech/${name}`
    );
    const tuning = await run("cache", "clear", "tuning");
    assertEquals(tuning.status, 0);
    assertStringIncludes(tuning.out[0]!, `removed ${dir}/espalier/gemm/llvmpipe.json`);
    const rest = JSON.parse((await run("cache", "clear", "--json")).out[0]!);
    assertEquals(rest.entries.length, 3);
    assertEquals(await filesIn(dir), [...others, ...model].sort());
    assertEquals((await run("cache", "clear", "models")).status, 0);
    assertEquals(await filesIn(dir), others);
    assertEquals((await run("cache", "clear")).status, 0);
    const wrong = await run("cache", "claer");
    assertEquals([wrong.status, wrong.err], [2, ["Unknown action claer: did you mean clear?"]]);
    assertEquals((await run("cache", "clear", "modles")).err, ["Unknown kind modles: did you mean models?"]);
  }));

Deno.test("cache clear keeps a corpus that is being made and a file that is being downloaded", () =>
  withCaches(async (dir) => {
    const corpus = `${dir}/espalier/commands1-9-2-1-s0`;
    const part = `${dir}/huggingface/hub/models--org--speech/blobs/c.incomplete`;
    {
      using _lock = await acquireLock(`${corpus}.lock`, { target: corpus });
      using file = await Deno.open(part, { write: true });
      await file.lock(true);
      const { status, err } = await run("cache", "clear", "partial");
      const kept = (path: string) => `note: ${path} is kept: another process writes to it`;
      assertEquals([status, err], [0, [kept(`${corpus}.partial`), kept(part)]]);
    }
    const { out } = await run("cache", "clear", "partial");
    assertEquals(out.filter((line) => line.startsWith("removed ")).length, 2);
  }));
