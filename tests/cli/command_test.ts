import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { defineCommand, parse, type Request } from "../../cli/command.ts";
import { commandHelp, commandSection, programHelp } from "../../cli/help.ts";
import { commands, main } from "../../cli/main.ts";
import { withCommands } from "../../cli/readme.ts";
import { suggest } from "../../cli/suggest.ts";
import { UserError } from "../../cli/user_error.ts";

const command = defineCommand({
  name: "prune",
  summary: "Prune a model",
  operands: "FILES…",
  options: {
    model: { type: "path", description: "model folder", default: "/models/tiny" },
    out: { type: "path", description: "where to write", required: true, short: "o" },
    method: { type: "string", description: "what to count", choices: ["size", "mac"], default: "mac" },
    target: { type: "number", description: "share removed", default: 0.5, min: 0, max: 1 },
    steps: { type: "integer", description: "training steps", min: 1 },
    tune: { type: "flag", description: "measure kernels first", default: true },
    json: { type: "flag", description: "print JSON" },
  },
  run: ({ target, method, steps, out }) => {
    const typed: [number, "size" | "mac", number | undefined, string] = [target, method, steps, out];
    return Promise.resolve(typed.length);
  },
});

function read(...words: string[]): Request {
  return parse(command, words, "/home/ada");
}

Deno.test("parse gives every option its value", () => {
  assertEquals(read("-o", "pruned", "a.wav", "--steps=20", "--no-tune", "7"), {
    help: false,
    values: {
      model: "/models/tiny",
      out: "/home/ada/pruned",
      method: "mac",
      target: 0.5,
      steps: 20,
      tune: false,
      json: false,
    },
    operands: ["a.wav", "7"],
  });
  assertEquals(read("--help"), { help: true });
  assertEquals(read("-h"), { help: true });
});

Deno.test("parse refuses what is no option or no value of it", () => {
  const mistakes: [string[], string][] = [
    [["--mdel", "x"], "Cannot run prune as it has no option --mdel: did you mean --model?"],
    [["--zzz=1"], "Cannot run prune as it has no option --zzz: see prune --help"],
    [[], "Cannot run prune as --out is required: see prune --help"],
    [["--out", "x", "--method", "flops"], "--method must be one of size, mac: got flops"],
    [["--out", "x", "--target", "half"], "--target must be a number: got half"],
    [["--out", "x", "--target=1.5"], "--target must be at most 1: got 1.5"],
    [["--out", "x", "--target=-1"], "--target must be at least 0: got -1"],
    [["--out", "x", "--steps", "2.5"], "--steps must be a whole number: got 2.5"],
    [["--out"], "--out needs a value: none was given"],
  ];
  for (const [words, message] of mistakes) assertThrows(() => read(...words), UserError, message);
  const { operands: _, ...rest } = command;
  const bare = { ...rest, name: "gpu", options: {} };
  assertThrows(() => parse(bare, ["x"], "/"), UserError, "Cannot run gpu as it takes no operands: got x");
});

Deno.test("help and README come from the declaration", () => {
  const help = commandHelp(command);
  assertStringIncludes(help, "./espalier prune [OPTIONS] FILES…");
  assertStringIncludes(help, "--method size|mac  what to count (default mac)");
  assertStringIncludes(help, "-o, --out PATH     where to write (required)");
  assertStringIncludes(help, "--no-tune");
  assertStringIncludes(commandSection(command), "- `--target NUMBER`: share removed (default 0.5)");
  assertStringIncludes(programHelp([command]), "prune  Prune a model");
});

Deno.test("suggest finds the word meant, or none", () => {
  assertEquals(suggest("pruen", ["train", "prune", "eval"]), "prune");
  assertEquals(suggest("trian", ["train", "prune"]), "train");
  assertEquals(suggest("xyz", ["train", "prune"]), undefined);
});

Deno.test("the README has the commands of today", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  assertEquals(withCommands(readme, commands), readme, "run: deno run -RW cli/readme.ts");
});

Deno.test("every command is a task", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  for (const { name } of commands) assertStringIncludes(tasks[name]?.command ?? "", `cli.ts ${name}`);
});

Deno.test("a mistake is one line and status 2", async () => {
  const said: string[] = [];
  const { error } = console;
  console.error = (line: string) => said.push(line);
  try {
    assertEquals(await main(["gpx"], "/"), 2);
    assertEquals(await main([], "/"), 2);
    assertEquals(await main(["gpu", "--jsn"], "/"), 2);
  } finally {
    console.error = error;
  }
  assertEquals(said, [
    "Cannot run gpx as there is no such command: did you mean gpu?",
    "Cannot run as a command is needed: see espalier --help",
    "Cannot run gpu as it has no option --jsn: did you mean --json?",
  ]);
});
