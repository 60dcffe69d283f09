// Every command works with the permissions of its task, and the process can do no more.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { commands } from "../../cli/main.ts";
import { permissionFlags } from "../../cli/permissions.ts";
import config from "../../deno.json" with { type: "json" };
import { keptCaches } from "../caches.ts";
import { withModel } from "../prune/run/pruned_tones.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** Runs Deno with the permissions of a command, and a home of its own. */
async function runAs(
  name: string,
  words: readonly string[],
  home: string,
  env: Readonly<Record<string, string>> = {},
) {
  const { access } = commands.find((command) => command.name === name)!;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...permissionFlags(access), "--config", `${root}deno.json`, ...words],
    env: {
      ...await keptCaches(),
      XDG_CACHE_HOME: home,
      HF_HOME: home,
      NO_COLOR: "1",
      HF_HUB_OFFLINE: "1",
      ...env,
    },
    stdin: "null",
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, err: err! };
}

Deno.test("every command does its work with the permissions of its task", () =>
  withModel("asr", async (dir) => {
    const [model, data] = [["--model", `${dir}/model`], ["--data", `${dir}/corpus`]];
    const files = [`${dir}/corpus/abc.wav`, `${root}tests/testdata/audio/tone.flac`];
    const small = ["--batch-seconds", "1.5", "--steps", "2"];
    const pruning = [...model, ...data, ...small, "--finetune-steps", "1", "--seconds", "1"];
    const samples: Record<string, readonly string[]> = {
      prune: [...pruning, "--out", `${dir}/pruned`],
      sweep: [...pruning, "--out", `${dir}/swept`],
      train: [...model, ...data, ...small, "--out", `${dir}/trained`],
      transcribe: [...model, ...files],
      classify: ["--model", `${root}assets/commands-tiny/intents`, ...files],
      extract: [...model, "--out", `${dir}/states.safetensors`, ...files],
      eval: [...model, ...data, "--subset", "dev"],
      inspect: [`${dir}/model`],
      export: [`${dir}/model`, "--to", "onnx", "--out", `${dir}/onnx`],
      data: ["commands", "--train", "2", "--dev", "2", "--test", "2", "--out", `${dir}/commands`],
      gpu: [],
      cache: ["clear"],
      completions: ["bash"],
      help: ["prune"],
      web: ["--out", `${dir}/web`],
    };
    for (const { name } of commands) {
      assert(samples[name], `a sample of ${name} is missing`);
      const words = [`--lock=${root}deno.lock`, `${root}cli.ts`, name, ...samples[name]];
      const { code, err } = await runAs(name, words, `${dir}/cache`);
      assertEquals(code, 0, `${name}: ${err}`);
      // Of the tests' set-up script, where there is one.
      assert(!err.includes("not permitted") && !err.includes("NotCapable"), `${name}: ${err}`);
    }
  }));

Deno.test("no command may run native code or other programs than Deno, or connect to other hosts", async () => {
  const probe = `const asked = [{ name: "run" }, { name: "ffi" }, { name: "sys", kind: "uid" },
    { name: "net", host: "example.com" }, { name: "env", variable: "SECRET" }, { name: "import" }];
    for (const each of asked) console.log((await Deno.permissions.query(each)).state);
    console.log(await Promise.try(() => new Deno.Command("true").output()).then(() => "ran", (error) => error.name));`;
  const url = `data:application/javascript,${encodeURIComponent(probe)}`;
  for (const { name } of commands) {
    const { out, err } = await runAs(name, [url], "/nonexistent");
    const states = out.trim().split("\n");
    assertEquals(states.length, 7, `${name}: ${err}`);
    assert(
      states.slice(0, 6).every((state) => state !== "granted"),
      `${name}: ${states}`,
    );
  }
});

Deno.test("a library of MPI is looked for in a job only", () =>
  withModel("asr", async (dir) => {
    const words = [`--lock=${root}deno.lock`, `${root}cli.ts`, "train", "--model", `${dir}/model`];
    const training = [...words, "--data", `${dir}/corpus`, "--batch-seconds", "1.5", "--steps", "1"];
    // Without native code: to look for a library would fail.
    const job = await runAs("train", [...training, "--out", `${dir}/job`], `${dir}/cache`, {
      OMPI_COMM_WORLD_RANK: "0",
      OMPI_COMM_WORLD_SIZE: "2",
    });
    assertEquals(job.code, 2, job.err);
    assertStringIncludes(job.err, "Cannot continue as this process is not permitted to: Requires ffi access");
    const alone = await runAs("train", [...training, "--out", `${dir}/alone`], `${dir}/cache`);
    assertEquals(alone.code, 0, alone.err);
  }));

Deno.test("a command that is not permitted to do something ends with one line", async () => {
  const words = ["--lock=" + root + "deno.lock", `${root}cli.ts`, "eval", "-m", "x", "--data", "y"];
  const { code, err } = await runAs("help", words, "/nonexistent");
  assertEquals(code, 2, err);
  assertStringIncludes(err, "Cannot continue as this process is not permitted to: Requires ");
  assertEquals(err.trimEnd().split("\n").length, 1, err);
});

Deno.test("all permissions are for development tasks only", () => {
  for (const [name, { command }] of Object.entries(config.tasks)) {
    assertEquals(command.includes(" cli.ts "), commands.some((one) => one.name === name), name);
    if (command.includes(" cli.ts ")) assert(!/ -A | --allow-all/.test(command), name);
  }
});
