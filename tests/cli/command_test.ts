import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import program from "../../deno.json" with { type: "json" };
import { defineCommand, parse, type Request } from "../../cli/command.ts";
import { cliReference, withTasks } from "../../cli/docs.ts";
import { commandHelp, programHelp } from "../../cli/help.ts";
import { commands } from "../../cli/main.ts";
import { group } from "../../cli/options.ts";
import { permissionFlags } from "../../cli/permissions.ts";
import { suggest } from "../../cli/suggest.ts";
import { UserError } from "../../cli/user_error.ts";
import { run } from "./run.ts";

const command = defineCommand({
  name: "prune",
  summary: "Prune a model",
  operands: "FILES…",
  options: {
    ...group("Model", {
      model: { type: "path", description: "model folder", default: "/models/tiny" },
      out: { type: "path", description: "where to write", required: true, short: "o", value: "DIR" },
    }),
    ...group("Pruning", {
      method: { type: "string", description: "what to count", choices: ["size", "mac"], default: "mac" },
      target: { type: "number", description: "share removed", default: 0.5, min: 0, max: 1 },
      steps: { type: "integer", description: "training steps", default: 100, min: 1 },
      "finetune-steps": {
        type: "integer",
        description: "steps after that",
        computed: { text: "half of --steps", of: ({ steps }) => Math.round(Number(steps) / 2) },
      },
      task: { type: "string", description: "task", computed: { text: "by the model's head" } },
      tune: { type: "flag", description: "measure kernels first", default: true },
      json: { type: "flag", description: "print JSON" },
    }),
  },
  examples: [["prune and write to a folder", "prune --out compact"]],
  run: ({ target, method, steps, out, task, "finetune-steps": more }) => {
    const typed: [number, "size" | "mac", number, string, string | undefined, number] = [
      target,
      method,
      steps,
      out,
      task,
      more,
    ];
    return Promise.resolve(typed.length);
  },
});

function read(...words: string[]): Request {
  return parse(command, words, "/home/ada");
}

Deno.test("parse gives every option its value, and keeps what was given apart", () => {
  assertEquals(read("-o", "pruned", "a.wav", "--steps=20", "--no-tune", "-q", "7"), {
    help: false,
    quiet: true,
    values: {
      model: "/models/tiny",
      out: "/home/ada/pruned",
      method: "mac",
      target: 0.5,
      steps: 20,
      "finetune-steps": 10,
      task: undefined,
      tune: false,
      json: false,
    },
    given: { out: "/home/ada/pruned", steps: 20, tune: false },
    operands: ["a.wav", "7"],
    notes: [],
  });
  assertEquals(read("--help"), { help: true });
  assertEquals(read("-h"), { help: true });
});

Deno.test("parse reads short options together, repeated ones, flags with a value, and operands after --", () => {
  const request = read("-qo", "a", "-ob", "--json=false", "--tune", "-", "--out=-c", "--", "--json", "-5");
  assert(!request.help);
  assertEquals(request.given, { out: "/home/ada/-c", json: false, tune: true });
  assertEquals([request.quiet, request.operands], [true, ["-", "--json", "-5"]]);
  for (const words of [["-od"], ["-o=d"], ["-o", "d"], ["--out=d"]]) {
    const request = read(...words);
    assert(!request.help);
    assertEquals(request.given, { out: "/home/ada/d" }, words.join(" "));
  }
});

Deno.test("parse refuses unknown options and wrong values", () => {
  const mistakes: [string[], string][] = [
    [["--mdel", "x"], "prune has no option --mdel: did you mean --model?"],
    [["--zzz=1"], "prune has no option --zzz: see ./espalier prune --help"],
    [[], "prune requires --out: see ./espalier prune --help"],
    [["--out", "x", "--method", "flops"], "--method must be one of size, mac: got flops"],
    [["--out", "x", "--target", "half"], "--target must be a number: got half"],
    [["--out", "x", "--target=1.5"], "--target must be at most 1: got 1.5"],
    [["--out", "x", "--target=-1"], "--target must be at least 0: got -1"],
    [["--out", "x", "--steps", "2.5"], "--steps must be a whole number: got 2.5"],
    [["--out", "x", "--target", "-0.2"], "--target must be at least 0: got -0.2"],
    [["--out"], "--out needs a value: see ./espalier prune --help"],
    [["--out", "--json"], "--out needs a value: see ./espalier prune --help"],
    [["-vx"], "prune has no option -v: see ./espalier prune --help"],
    [["--no-steps"], "prune has no option --no-steps: did you mean --steps?"],
    [["--__proto__=1"], "prune has no option --__proto__: see ./espalier prune --help"],
  ];
  for (const [words, message] of mistakes) assertThrows(() => read(...words), UserError, message);
  const { operands: _, ...rest } = command;
  const bare = { ...rest, name: "gpu", options: {} };
  assertThrows(() => parse(bare, ["x"], "/"), UserError, "gpu takes no arguments besides options: got x");
});

Deno.test("earlier names of options are read with a note, and are not in the help", () => {
  const request = read("--out", "x", "--tune-steps", "7", "--", "--tune-steps");
  assert(!request.help);
  assertEquals(request.given, { out: "/home/ada/x", "finetune-steps": 7 });
  assertEquals(request.notes, ["--tune-steps is now --finetune-steps"]);
  assertEquals(request.operands, ["--tune-steps"]);
  const names = ["tune-steps", "tune-lr", "accumulate", "recompute", "clip", "window"];
  for (const one of commands) {
    for (const name of names) assert(!commandHelp(one).includes(`--${name} `), `${one.name} --${name}`);
  }
});

Deno.test("help comes from the declaration: groups, defaults, choices, examples", () => {
  const help = commandHelp(command);
  assertStringIncludes(help, "./espalier prune [OPTIONS] FILES…");
  assertStringIncludes(help, "\n\nPruning:\n      --method size|mac         what to count [default: mac]\n");
  assertStringIncludes(help, "  -o, --out DIR                 where to write [required]");
  assertStringIncludes(help, "steps after that [default: half of --steps]");
  assertStringIncludes(help, "--no-tune");
  assertStringIncludes(help, "  # prune and write to a folder\n  ./espalier prune --out compact");
  const reference = cliReference([command]);
  assertStringIncludes(reference, "- `-o`, `--out DIR`: where to write [required]");
  assertStringIncludes(programHelp([command], []), "prune          Prune a model");
});

Deno.test("every help text fits into 80 columns", () => {
  const texts = [programHelp(commands, []), ...commands.map(commandHelp)];
  for (const line of texts.flatMap((text) => text.split("\n"))) {
    assert(line.length <= 80 || line.startsWith("  ./espalier"), line);
  }
});

Deno.test("suggest finds the word meant, or none", () => {
  assertEquals(suggest("pruen", ["train", "prune", "eval"]), "prune");
  assertEquals(suggest("trian", ["train", "prune"]), "train");
  assertEquals(suggest("xyz", ["train", "prune"]), undefined);
});

Deno.test("docs/cli.md and the tasks of deno.json are those of the declarations", async () => {
  const textOf = (path: string) => Deno.readTextFile(new URL(`../../${path}`, import.meta.url));
  assertEquals(await textOf("docs/cli.md"), cliReference(commands), "run: deno run -RW cli/docs.ts");
  const tasks = await textOf("deno.json");
  assertEquals(tasks, withTasks(tasks, commands), "run: deno run -RW cli/docs.ts");
  const named: Record<string, { command: string; description: string }> = program.tasks;
  assertStringIncludes(await textOf("bench/main.ts"), `summary: "${named["bench"]!.description}"`);
  for (const { name, summary, access } of commands) {
    assertEquals(named[name], {
      description: summary,
      command: `deno run ${permissionFlags(access).join(" ")} --lock=deno.lock cli.ts ${name}`,
    });
  }
  const changed = tasks.replace("Transcribe audio", "Write down audio").replace('"inspect": {', '"other": {');
  assertEquals(
    JSON.parse(withTasks(changed, commands)).tasks,
    { ...named, other: { ...named["inspect"]! } },
    "a task that is missing is added",
  );
});

Deno.test("help, help COMMAND, --help and --version", async () => {
  const [list, byOption, of, version, short] = await Promise.all([
    run("help"),
    run("--help"),
    run("help", "prune"),
    run("--version"),
    run("-V"),
  ]);
  assertEquals([list.status, of.status, version.status], [0, 0, 0]);
  assertEquals(list.out, byOption.out);
  for (const { name, summary } of commands) {
    assertStringIncludes(list.out[0]!.replace(/\s+/g, " "), ` ${name} ${summary} `);
  }
  assertStringIncludes(of.out[0]!, "--target NUMBER");
  assertEquals([version.out, short.out], [[`espalier ${program.version}`], [`espalier ${program.version}`]]);
});

Deno.test("a mistake is one line and status 2", async () => {
  const mistakes: [string[], string][] = [
    [["gpx"], "Unknown command gpx: did you mean gpu?"],
    [["tset"], "Unknown command tset: did you mean test?"],
    [["help", "test"], "test is a development task: run ./espalier test"],
    [["help", "prun"], "Unknown command prun: did you mean prune?"],
    [[], "No command given: see ./espalier help"],
    [["--versoin"], "Unknown option --versoin: did you mean --version?"],
    [["gpu", "--jsn"], "gpu has no option --jsn: did you mean --json?"],
    [["-q", "gpu", "--jsn"], "gpu has no option --jsn: did you mean --json?"],
    [
      ["prune", "--resume", "--recipe", "x"],
      "--recipe cannot be used with --resume: the run keeps its saved options",
    ],
  ];
  for (const [words, message] of mistakes) {
    assertEquals(await run(...words), { status: 2, out: [], err: [message] });
  }
});

Deno.test("a defect of the program ends with status 1 and its stack trace, escaped", async () => {
  const help = commands.find(({ name }) => name === "help")!;
  const { run: before } = help;
  try {
    Object.assign(help, { run: () => Promise.reject(new Error("broken \x1b[31m")) });
    const { status, err } = await run("help");
    assertEquals(status, 1);
    assertStringIncludes(err.join("\n"), "Error: broken \\u001b[31m\n    at ");
  } finally {
    Object.assign(help, { run: before });
  }
});
