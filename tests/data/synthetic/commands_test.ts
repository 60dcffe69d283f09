import { assert, assertEquals, assertGreater, assertRejects, assertThrows } from "@std/assert";
import { loadAudio } from "../../../data/audio/audio.ts";
import { cacheFolder } from "../../../data/cache_folder.ts";
import { allSentences, expand } from "../../../data/synthetic/grammar.ts";
import { type CommandsCorpus, makeCommands } from "../../../data/synthetic/make_commands.ts";
import { planCommands } from "../../../data/synthetic/plan.ts";
import { openCorpus } from "../../../data/corpus/corpus.ts";
import { withFolder } from "../folder.ts";

Deno.test("a template stands for all its alternatives", () => {
  assertEquals(expand("a (b|c) [d]"), ["a b ", "a b d", "a c ", "a c d"]);
  assertEquals(expand("(a [b|c]|d)"), ["a ", "a b", "a c", "d"]);
  assertThrows(() => expand("a (b"), SyntaxError, "every bracket must close");
  assertThrows(() => expand("{x}"), SyntaxError, "its lists must be known: x");
});

Deno.test("the grammar has many sentences of many classes, none of two", () => {
  const classes = [...allSentences()];
  assertGreater(classes.length, 12 - 1);
  const texts = classes.flatMap(([, templates]) => [...new Set(templates.flat())]);
  assertGreater(texts.length, 10_000);
  assertEquals(new Set(texts).size, texts.length);
  for (const text of texts) assert(/^[a-z]+( [a-z]+)*$/.test(text), text);
  for (const [intent] of classes) assert(/^[a-z]+_[a-z]+$/.test(intent), intent);
});

Deno.test("the plan splits by sentence, balances classes and voices, and keeps a voice apart", () => {
  const lines = planCommands({ train: 3000, dev: 200, test: 300, seed: 0 });
  const of = (subset: string) => lines.filter((line) => line.subset === subset);
  assertEquals(lines.length, 3800);
  const clean = [...of("train-clean"), ...of("dev-clean"), ...of("test-clean")];
  assertEquals(new Set(clean.map(({ text }) => text)).size, 3500);
  assertEquals(of("test-other").map(({ text }) => text), of("test-clean").map(({ text }) => text));
  assertEquals([...new Set(of("test-other").map(({ voice }) => voice))], ["rms"]);
  const sizes = (key: "voice" | "intent") =>
    [...Map.groupBy(of("train-clean"), (line) => line[key]).values()].map((group) => group.length);
  assertEquals(sizes("voice"), [1000, 1000, 1000]);
  assertEquals(sizes("intent"), new Array(20).fill(150));
  // Whoever tests does so with words that were transcribed in training.
  const known = new Set(of("train-clean").flatMap(({ text }) => text.split(" ")));
  assertEquals(clean.flatMap(({ text }) => text.split(" ")).filter((word) => !known.has(word)), []);
});

Deno.test("the plan depends on the seed; what is tested does not depend on how much is trained", () => {
  const counts = { train: 100, dev: 10, test: 30, seed: 4 };
  const test = (changes: Partial<typeof counts>) =>
    planCommands({ ...counts, ...changes }).filter(({ subset }) => subset === "test-clean");
  assertEquals(test({}), test({ train: 500, dev: 50 }));
  assert(JSON.stringify(test({})) !== JSON.stringify(test({ seed: 5 })));
  assertThrows(() => planCommands({ ...counts, train: 10 ** 6 }), RangeError, "1000040 are requested");
});

Deno.test("the corpus is made, found, taken up and read in both layouts, the same every time", () =>
  withFolder({}, async (dir) => {
    const options = { train: 3, dev: 1, test: 1, out: `${dir}/one`, threads: 2 };
    const { subsets, found } = await makeCommands(options);
    assertEquals(found, false);
    assertEquals(Object.values(subsets).map(({ clips }) => clips), [3, 1, 1, 1]);
    assertEquals(await makeCommands(options), { dir: `${dir}/one`, found: true, subsets });
    const transcribed = await openCorpus(`${dir}/one`, "train", { task: "asr" });
    const understood = await openCorpus(`${dir}/one`, "train,dev,test,test-other", { task: "slu" });
    assertEquals([transcribed.length, understood.length], [3, 6]);
    const { text, intent, audio, seconds } = understood.find(({ id }) => id === transcribed[0]!.id)!;
    assertEquals(text!.toUpperCase(), transcribed[0]!.text);
    assert(intent!.includes("_"));
    const { samples } = await loadAudio(audio);
    assert(Math.abs(samples.length / 16_000 - seconds!) < 1e-3 && seconds! > 1 && seconds! < 6);
    assertEquals(await Deno.readFile(audio), await Deno.readFile(transcribed[0]!.audio));

    // An interrupted run has left two files, one of them with other bytes, which is kept.
    const partial = `${dir}/two.partial`;
    await copyFolder(`${dir}/one`, partial);
    const mark = await Deno.readFile(transcribed[0]!.audio);
    mark[60]! ^= 1;
    const place = (path: string) => path.replace(`${dir}/one`, partial);
    await Deno.writeFile(place(transcribed[0]!.audio), mark);
    await Deno.remove(place(transcribed[1]!.audio));
    await Deno.remove(`${partial}/audio`, { recursive: true });
    const second: CommandsCorpus = await makeCommands({ ...options, out: `${dir}/two` });
    assertEquals([second.found, second.subsets], [false, subsets]);
    const there = (path: string) => Deno.readFile(path.replace(`${dir}/one`, `${dir}/two`));
    assertEquals(await there(transcribed[0]!.audio), mark);
    assertEquals(await there(transcribed[1]!.audio), await Deno.readFile(transcribed[1]!.audio));

    const message = "it must be a new folder or the same corpus: it has train 3, not 2";
    await assertRejects(() => makeCommands({ ...options, train: 2 }), Error, message);
    await assertRejects(() => makeCommands({ ...options, out: dir }), Error, "it holds something else");
    const left = (await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => name).sort();
    assertEquals(left, ["one", "two"]);
  }));

Deno.test("a corpus that is being made is waited for", () =>
  withFolder({}, async (dir) => {
    const waited: string[] = [];
    const options = { train: 3, dev: 1, test: 1, out: `${dir}/one`, threads: 1 };
    const onWait = (holder: string) => void waited.push(holder);
    const both = await Promise.all([
      makeCommands({ ...options, onWait }),
      makeCommands({ ...options, onWait }),
    ]);
    assertEquals(both.map(({ found }) => found).sort(), [false, true]);
    assertEquals(both[0]!.subsets, both[1]!.subsets);
    assertEquals(waited.length, 1);
    assert(waited[0]!.startsWith(`process ${Deno.pid}, since `), waited[0]);
    assertEquals([...Deno.readDirSync(dir)].map(({ name }) => name), ["one"]);
  }));

Deno.test("FLAC files hold the samples of the WAV files", () =>
  withFolder({}, async (dir) => {
    const decoded = await Promise.all((["wav", "flac"] as const).map(async (format) => {
      const out = `${dir}/${format}`;
      await makeCommands({ train: 1, dev: 0, test: 0, out, format, threads: 1 });
      const [utterance] = await openCorpus(out, "train", { task: "asr" });
      return { ...utterance!, samples: (await loadAudio(utterance!.audio)).samples };
    }));
    assertEquals(decoded[1]!.audio.endsWith(".flac"), true);
    assertEquals(decoded[0]!.samples, decoded[1]!.samples);
  }));

Deno.test("the cache is where the system wants it", () => {
  const of = (env: Record<string, string>, os: string) => cacheFolder({ get: (name) => env[name] }, os);
  assertEquals(of({ XDG_CACHE_HOME: "/c", HOME: "/h" }, "linux"), "/c/espalier");
  assertEquals(of({ HOME: "/h" }, "linux"), "/h/.cache/espalier");
  assertEquals(of({ HOME: "/h" }, "darwin"), "/h/Library/Caches/espalier");
  assertEquals(of({ LOCALAPPDATA: "C:\\l", USERPROFILE: "C:\\u" }, "windows"), "C:\\l/espalier");
  assertThrows(() => of({}, "linux"), TypeError, "HOME must name a folder");
});

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
