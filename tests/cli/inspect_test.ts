import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { InspectReport } from "../../cli/inspect.ts";
import { main } from "../../cli/main.ts";
import { encodeSafetensors, parseSafetensors } from "../../model/safetensors.ts";

const path = (name: string) => decodeURIComponent(new URL(`../../${name}`, import.meta.url).pathname);

/** Runs the program with its output caught. */
async function run(...words: string[]): Promise<{ status: number; out: string; err: string }> {
  const { log, error } = console;
  const said = { out: "", err: "" };
  console.log = (line: string) => said.out += line + "\n";
  console.error = (line: string) => said.err += line + "\n";
  try {
    return { status: await main(words, Deno.cwd()), ...said };
  } finally {
    Object.assign(console, { log, error });
  }
}

/** A copy of the tiny base model in a folder that is gone afterwards. */
async function withCopy(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const name of ["config.json", "model.safetensors"]) {
      await Deno.copyFile(path(`tests/testdata/base/${name}`), `${folder}/${name}`);
    }
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("inspect prints a row per module that adds up to the totals", async () => {
  const model = path("tests/testdata/base");
  const [text, json] = [await run("inspect", model, "--seconds", "1"), await run("inspect", model, "--json")];
  assertEquals([text.status, text.err, json.status, json.err], [0, "", 0, ""]);
  assertStringIncludes(text.out, "35,616 parameters, 3.476 MMACs for 1 s of audio (49 frames)");
  assertStringIncludes(text.out, "its CTC head adds 275 parameters, 0.01294 MMACs");
  const report: InspectReport = JSON.parse(json.out);
  assertEquals([report.parameters, report.macs, report.frames, report.head], [
    35_616,
    67_469_600,
    499,
    "ctc",
  ]);
  assertEquals(report.rows.reduce((sum, row) => sum + row.parameters, 0), report.parameters);
  assertEquals(report.rows.reduce((sum, row) => sum + row.macs, 0), report.macs);
  for (const { name, units, parameters } of report.rows) {
    const row = text.out.split("\n").find((line) => line.startsWith(`${name} `)) ?? "";
    assertStringIncludes(row, parameters.toLocaleString("en"));
    if (units !== null) assertStringIncludes(row, ` ${units} `);
  }
  const total = text.out.split("\n").find((line) => line.startsWith("total ")) ?? "";
  assert(/^total +35,616 +100\.0 % +3,476,000 +100\.0 %$/.test(total), total);
});

Deno.test("inspect tells how a model was pruned, and what is odd about its files", () =>
  withCopy(async (folder) => {
    const { tensors } = parseSafetensors(await Deno.readFile(`${folder}/model.safetensors`));
    tensors.set("quantizer.codevectors", { dtype: "U8", shape: [1], data: new Uint8Array(1) });
    tensors.delete("wav2vec2.masked_spec_embed");
    await Deno.writeFile(`${folder}/model.safetensors`, encodeSafetensors(tensors));
    const record = { method: "sep-size", target: { cnn: 0.25, transformer: 0.5 }, achieved: 0.451 };
    await Deno.writeTextFile(`${folder}/espalier.json`, JSON.stringify(record));
    const { out } = await run("inspect", folder);
    assertStringIncludes(
      out,
      "pruned by sep-size: target cnn 25.0 %, transformer 50.0 % removed, achieved 45.1 %",
    );
    assertStringIncludes(out, "note: Left aside, as it is of pre-training: quantizer.codevectors");
    assertStringIncludes(out, "35,592 parameters");
    assert(!out.includes("masked_spec_embed"));
    assertEquals(JSON.parse((await run("inspect", folder, "--json")).out).pruned, record);
  }));

Deno.test("inspect tells bad input in one line, with status 2", () =>
  withCopy(async (folder) => {
    const model = await Deno.readFile(`${folder}/model.safetensors`);
    const lying = model.slice();
    lying.set([0xff, 0xff, 0xff], 0);
    const cases: [file: string, content: Uint8Array | string, message: string][] = [
      ["model.safetensors", model.slice(0, 3000), "the header must lie within the file"],
      ["model.safetensors", lying, "the header must lie within the file: its length is 16777215"],
      ["model.safetensors", model.slice(0, -4), "offsets must lie within the file"],
      ["model.safetensors", new Uint8Array(0), "a file starts with 8 bytes of header length"],
      ["config.json", '{"model_type": "bert"}', 'config.json as model_type must be "wav2vec2" or'],
      ["config.json", "", "config.json as it must be JSON: Unexpected end of JSON input"],
      [
        "espalier.json",
        '{"method": "mac", "target": 2}',
        "espalier.json as target must be from 0 to 1: it is 2",
      ],
      ["espalier.json", '{"method": "magic"}', 'method must be "size" or "sep-size" or "mac": it is "magic"'],
    ];
    for (const [file, content, message] of cases) {
      const before = await Deno.readFile(`${folder}/${file}`).catch(() => null);
      await Deno.writeFile(
        `${folder}/${file}`,
        typeof content === "string" ? new TextEncoder().encode(content) : content,
      );
      assertMistake(await run("inspect", folder), message);
      if (before) await Deno.writeFile(`${folder}/${file}`, before);
    }
    await Deno.remove(`${folder}/config.json`);
    await Deno.mkdir(`${folder}/config.json`);
    assertMistake(await run("inspect", folder), "config.json as the system refuses: Is a directory");
    assertMistake(
      await run("inspect", `${folder}/none`),
      "a model is a folder or a .safetensors file: No such file",
    );
    assertMistake(await run("inspect"), "Cannot run inspect as it takes one MODEL: got 0");
    assertMistake(await run("inspect", folder, "--seconds", "0"), "--seconds must be at least 0.025");
  }));

function assertMistake({ status, out, err }: Awaited<ReturnType<typeof run>>, message: string): void {
  assertEquals([status, out], [2, ""], err);
  assertStringIncludes(err, message);
  assertEquals(err.trimEnd().split("\n").length, 1, err);
}

Deno.test("data random-model makes a folder that inspect reads", async () => {
  const folder = await Deno.makeTempDir();
  const config = path("recipes/configs/tiny-large.json");
  const make = (...words: string[]) => run("data", "random-model", "--config", config, ...words);
  try {
    const { status, out } = await make("--out", `${folder}/a`, "--seed", "5");
    assertEquals([status, out], [0, `${folder}/a: 419,632 random weights, seed 5\n`]);
    const names = (await Array.fromAsync(Deno.readDir(`${folder}/a`))).map(({ name }) => name).sort();
    assertEquals(names, ["config.json", "model.safetensors", "preprocessor_config.json", "vocab.json"]);
    const vocabulary = JSON.parse(await Deno.readTextFile(`${folder}/a/vocab.json`));
    assertEquals([vocabulary["<pad>"], vocabulary["|"], vocabulary["E"], Object.keys(vocabulary).length], [
      0,
      4,
      5,
      32,
    ]);
    assertEquals(await Deno.readTextFile(`${folder}/a/config.json`), await Deno.readTextFile(config));
    const settings = JSON.parse(await Deno.readTextFile(`${folder}/a/preprocessor_config.json`));
    assertEquals([settings.return_attention_mask, settings.sampling_rate], [true, 16000]);
    assertStringIncludes((await run("inspect", `${folder}/a`)).out, "416,528 parameters");

    await make("--out", `${folder}/b`, "--seed", "5", "--head", "none");
    assertStringIncludes((await run("inspect", `${folder}/b`)).out, "wav2vec2, no head");

    assertMistake(await make("--out", `${folder}/a`), "as the output is there already: ");
    assertMistake(await make(), "Cannot run data random-model as --out is required: see data --help");
    assertMistake(await run("data"), "Cannot run data as it takes what to make: random-model");
    assertMistake(await run("data", "random-modl"), "did you mean random-model?");
    assertMistake(
      await run("data", "random-model", "--config", `${folder}/x.json`, "--out", `${folder}/c`),
      "Cannot make a random model as it needs a config: there is no file",
    );
    const left = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
    assertEquals(left, ["a", "b"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a vocabulary has as many tokens as the model", async () => {
  const { vocabulary } = await import("../../cli/random_model.ts");
  const { parseConfig } = await import("../../model/config.ts");
  const config = parseConfig(await Deno.readTextFile(path("recipes/configs/tiny-base.json")));
  for (const [vocab_size, pad_token_id] of [[1, 0], [6, 5], [32, 0], [40, 39]] as const) {
    const tokens = vocabulary({ ...config, vocab_size, pad_token_id });
    assertEquals(Object.values(tokens), Array.from({ length: vocab_size }, (_, id) => id));
    assertEquals(tokens["<pad>"], pad_token_id);
  }
});
