import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { EMBEDDED_DENSE } from "../../cli/embedded.ts";
import type { InspectReport } from "../../cli/inspect.ts";
import { main } from "../../cli/main.ts";
import { bar } from "../../cli/pruned.ts";
import { readCheckpoint } from "../../model/checkpoint/read.ts";
import { writeCheckpoint } from "../../model/checkpoint/write.ts";
import { parseSafetensors } from "../../model/checkpoint/safetensors.ts";
import { encodeSafetensors } from "../../model/checkpoint/safetensors_encode.ts";
import { chooseUniform } from "../../prune/choose.ts";
import { type ConstraintOptions, constraintsOf } from "../../prune/constraints.ts";
import { unitMagnitudes } from "../../prune/magnitude.ts";
import { type PruneRecord, pruneRecord } from "../../prune/record.ts";
import { encodePruneRecord } from "../../prune/record_file.ts";
import { compact } from "../../prune/surgery.ts";

const path = (name: string) => decodeURIComponent(new URL(`../../${name}`, import.meta.url).pathname);

/** Runs the program with its output captured. */
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

/** A copy of the tiny base model in a temporary folder. */
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

/** Prunes the model of a folder in place, and writes its record. */
async function prune(
  folder: string,
  options: ConstraintOptions,
  about: { base_model: string; round_to?: number; before?: PruneRecord },
): Promise<PruneRecord> {
  const checkpoint = await readCheckpoint(folder);
  const { config } = checkpoint;
  const { round_to = 1 } = about;
  const constraints = constraintsOf(config, options);
  const choice = chooseUniform(unitMagnitudes(checkpoint), { config, constraints, roundTo: round_to });
  const { method } = options;
  const record = pruneRecord({ version: "0.1.0", method, ...about, round_to, config, constraints, choice });
  await writeCheckpoint(folder, { ...checkpoint, ...compact(checkpoint, choice) });
  await Deno.writeTextFile(`${folder}/espalier.json`, encodePruneRecord(record));
  return record;
}

Deno.test("inspect prints a row per module that adds up to the totals", async () => {
  const model = path("tests/testdata/base");
  const [text, json] = [await run("inspect", model, "--seconds", "1"), await run("inspect", model, "--json")];
  assertEquals([text.status, text.err, json.status, json.err], [0, "", 0, ""]);
  assertStringIncludes(text.out, "35,592 parameters, 3.476 MMACs for 1 s of audio (49 frames)");
  assertStringIncludes(text.out, "its CTC head adds 275 parameters, 0.01294 MMACs");
  const report: InspectReport = JSON.parse(json.out);
  assertEquals([report.parameters, report.macs, report.frames, report.head], [
    35_592,
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
  assert(/^total +35,592 +100\.0 % +3,476,000 +100\.0 %$/.test(total), total);
});

Deno.test("parameters are those of inference, as in eval and reports: without the mask embedding", async () => {
  const { out } = await run("inspect", EMBEDDED_DENSE);
  assertStringIncludes(out, "464,832 parameters, ");
  assertStringIncludes(out, "note: masked_spec_embed is not counted: only training uses it");
});

Deno.test("inspect prints notes on a model's files", () =>
  withCopy(async (folder) => {
    const { tensors } = parseSafetensors(await Deno.readFile(`${folder}/model.safetensors`));
    tensors.set("quantizer.codevectors", { dtype: "U8", shape: [1], data: new Uint8Array(1) });
    tensors.delete("wav2vec2.masked_spec_embed");
    await Deno.writeFile(`${folder}/model.safetensors`, encodeSafetensors(tensors));
    const { out } = await run("inspect", folder);
    assertStringIncludes(out, "note: Unused tensors (pre-training): quantizer.codevectors");
    assertStringIncludes(out, "35,592 parameters");
    assert(!out.includes("masked_spec_embed"));
    assert(!out.includes("pruned") && !out.includes("kept"), "nothing more of a dense model");
  }));

Deno.test("inspect prints target, achieved cost and distance of a pruned model", () =>
  withCopy(async (folder) => {
    const options: ConstraintOptions = { method: "mac", target: 0.3, seconds: 2.5 };
    const record = await prune(folder, options, { base_model: "a\x1b[2Jdense" });
    const [{ cost, base_cost, removed }] = record.constraints as [PruneRecord["constraints"][0]];
    const { status, out, err } = await run("inspect", folder);
    assertEquals([status, err], [0, ""]);
    const share = (100 * removed).toFixed(2);
    const kept = `${cost.toLocaleString("en")} of ${base_cost.toLocaleString("en")} kept at 2.5 s`;
    const line = out.split("\n").find((line) => line.startsWith("pruned by ")) ?? "";
    const start = `pruned by mac: target 30.0 % of MACs removed, achieved ${share} % (${kept})`;
    assertEquals(line.slice(0, start.length), start);
    // The choice misses the target by at most half the cost of a unit; inspect prints on which side.
    const side = cost > 0.7 * base_cost ? "above" : "below";
    const miss = new RegExp(
      `^, (0\\.[0-5]\\d) times the cheapest unit's cost ${side} the target$|^, on the target$`,
    );
    assert(miss.test(line.slice(start.length)), line);
    assertStringIncludes(out, "\npruned from a [2Jdense with Espalier 0.1.0\n");
    assertEquals(JSON.parse((await run("inspect", folder, "--json")).out).pruned, record);
  }));

Deno.test("inspect has a line for each constraint and for each earlier pruning", () =>
  withCopy(async (folder) => {
    const first = await prune(folder, { method: "mac", target: 0.1 }, { base_model: "dense" });
    const options: ConstraintOptions = { method: "sep-size", target: 0.3, targetConv: 0.2 };
    await prune(folder, options, { base_model: "once", round_to: 4, before: first });
    const { out } = await run("inspect", folder);
    const lines = out.split("\n").filter((line) => /^(pruned|earlier) /.test(line));
    const starts = [
      "pruned by sep-size: target 20.0 % of the convolutions' parameters removed, achieved ",
      "pruned by sep-size: target 30.0 % of the Transformer's parameters removed, achieved ",
      "pruned from once with Espalier 0.1.0, widths in multiples of 4",
      "earlier by mac from dense with Espalier 0.1.0: target 10.0 % of MACs removed, achieved ",
    ];
    assertEquals(lines.map((line, i) => line.slice(0, starts[i]?.length)), starts);
    assertStringIncludes(lines[3]!, " kept at 10 s)");
    assert(!lines[0]!.includes("kept at"), "parameters have no length");
  }));

Deno.test("inspect draws the kept units of the unpruned model", () =>
  withCopy(async (folder) => {
    const checkpoint = await readCheckpoint(folder);
    const { config } = checkpoint;
    const choice = new Map([
      ["heads.0", { indices: [0, 2], gates: [1, 1] }],
      ["heads.1", { indices: [], gates: [] }],
    ]);
    const constraints = constraintsOf(config, { method: "size", target: 0, kinds: ["heads"] });
    const about = { version: "0.1.0", base_model: "dense", method: "size", round_to: 1 };
    const record = pruneRecord({ ...about, config, constraints, choice });
    await writeCheckpoint(folder, { ...checkpoint, ...compact(checkpoint, choice) });
    await Deno.writeTextFile(`${folder}/espalier.json`, encodePruneRecord(record));
    const { out } = await run("inspect", folder);
    const third = "█".repeat(16);
    const rows = out.slice(out.indexOf("units kept")).trimEnd().split("\n").slice(1);
    assertEquals(rows.map((row) => row.split(" ")[0]), [
      ...config.conv_dim.map((_, i) => `conv.${i}`),
      ...["heads.0", "heads.1", "heads.2", "ffn.0", "ffn.1", "ffn.2"],
    ]);
    const row = (name: string) => rows.find((row) => row.startsWith(name)) ?? "";
    assert(row("heads.0").endsWith(` 2 of  3  │${third}${" ".repeat(16)}${third}│`), row("heads.0"));
    assert(row("heads.1").endsWith(` 0 of  3  │${" ".repeat(48)}│`), row("heads.1"));
    assert(row("ffn.0").endsWith(` 40 of 40  │${"█".repeat(48)}│`), row("ffn.0"));
  }));

Deno.test("a bar is blank or full only where all its units are gone or kept", () => {
  const all = (units: number) => Array.from({ length: units }, (_, i) => i);
  for (const units of [1, 5, 12, 47, 48, 49, 512, 3072]) {
    assertEquals(bar(all(units), units), "█".repeat(48));
    assertEquals(bar([], units), " ".repeat(48));
    const allButLast = bar(all(units).slice(0, -1), units);
    assert(!allButLast.endsWith("█") && (units < 2 || allButLast.startsWith("█")), `${units}: ${allButLast}`);
    const last = bar([units - 1], units);
    assert(!last.endsWith(" ") && (units < 2 || last.startsWith(" ")), `${units}: ${last}`);
  }
  assertEquals(bar(all(96).filter((i) => i % 2 === 0), 96), "▒".repeat(48));
  assertEquals(bar(all(192).filter((i) => i % 4 > 0), 192), "▓".repeat(48));
  assertEquals(bar(all(192).filter((i) => i % 4 === 0), 192), "░".repeat(48));
  assertEquals(bar([0], 5), "█".repeat(9) + "▒" + " ".repeat(38));
});

Deno.test("inspect reports bad input in one line, with status 2", () =>
  withCopy(async (folder) => {
    const model = await Deno.readFile(`${folder}/model.safetensors`);
    const lying = model.slice();
    lying.set([0xff, 0xff, 0xff], 0);
    const about = { version: "0.1.0", base_model: "dense", method: "size", round_to: 1 };
    const record = (change: Record<string, unknown>) =>
      JSON.stringify({ ...about, constraints: [], units: {}, earlier: [], ...change });
    const cases: [file: string, content: Uint8Array | string, message: string][] = [
      ["model.safetensors", model.slice(0, 3000), "the header must lie within the file"],
      ["model.safetensors", lying, "the header must lie within the file: its length is 16777215"],
      ["model.safetensors", model.slice(0, -4), "offsets must lie within the file"],
      ["model.safetensors", new Uint8Array(0), "a file starts with 8 bytes of header length"],
      ["config.json", '{"model_type": "bert"}', 'config.json as model_type must be "wav2vec2" or'],
      ["config.json", "", "config.json as it must be JSON: Unexpected end of JSON input"],
      ["espalier.json", "{", "espalier.json as it must be JSON"],
      ["espalier.json", '{"method": "mac", "target": 0.5}', "espalier.json as units must be an object"],
      ["espalier.json", record({ method: 3 }), "espalier.json as method must be a string: it is 3"],
      [
        "espalier.json",
        record({ units: { "ffn.1": { of: 40, kept: [0, 3] } } }),
        "espalier.json as it must be of the model: ffn.1 has 40 units, 2 are recorded",
      ],
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
      "a model must be a folder or a .safetensors, .bin, .pt or .pth file: there is no such file",
    );
    assertMistake(await run("inspect"), "inspect takes one MODEL: got none");
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
    assertStringIncludes((await run("inspect", `${folder}/a`)).out, "416,432 parameters");

    await make("--out", `${folder}/b`, "--seed", "5", "--head", "none");
    assertStringIncludes((await run("inspect", `${folder}/b`)).out, "wav2vec2, no head");

    assertMistake(await make("--out", `${folder}/a`), "as the output must be a new folder: ");
    assertMistake(await make(), "data random-model requires --out: see ./espalier data --help");
    assertMistake(await run("data"), "data requires what to make or check: commands, asterisk, random-model");
    assertMistake(await run("data", "random-modl"), "did you mean random-model?");
    assertMistake(
      await run("data", "random-model", "--config", `${folder}/x.json`, "--out", `${folder}/c`),
      "Cannot make a random model as a config is needed: there is no file",
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

Deno.test("inspect takes the revision of a model on the hub, once", async () => {
  const [base, other] = [path("tests/testdata/base"), "org/name@v1"];
  assertEquals(await run("inspect", base, "--revision", "v2"), {
    status: 2,
    out: "",
    err: `--revision is for a model on the hub: ${base} is a folder or file\n`,
  });
  const { err } = await run("inspect", other, "--revision", "v2");
  assertEquals(err, "--revision v2 is not the revision of org/name@v1\n");
});
