// The commands that README, documents and recipes print are read as the program reads them.
import { assert, assertEquals } from "@std/assert";
import { parse } from "../../cli/command.ts";
import { commands } from "../../cli/main.ts";
import { readRecipe } from "../../cli/run_settings.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** Command lines in a text, lines that end with a backslash joined; without those that have placeholders. */
function commandLines(text: string): string[][] {
  const lines = text.replace(/\\\n\s*/g, " ").matchAll(/(?:\.\/espalier|deno task) ([a-z][^`\n#|>&]*)/g);
  return [...lines].map(([, words]) => words!.trim().split(/\s+/)).filter((words) =>
    !words.some((word) => /[[\]…()]/.test(word))
  );
}

Deno.test("every command line in README and docs can be read", async () => {
  const docs = (await Array.fromAsync(Deno.readDir(`${root}docs`))).map(({ name }) => `docs/${name}`);
  const files = ["README.md", "CONTRIBUTING.md", ...docs].filter((name) => name.endsWith(".md"));
  const wrong: string[] = [];
  let read = 0;
  for (const file of files) {
    for (const [name, ...words] of commandLines(await Deno.readTextFile(root + file))) {
      const command = commands.find((one) => one.name === name);
      if (!command) continue; // a development task
      read++;
      try {
        const request = parse(command, words, root);
        assert(request.help || request.notes.length === 0, "an earlier name of an option");
      } catch (error) {
        wrong.push(`${file}: ${name} ${words.join(" ")}: ${(error as Error).message}`);
      }
    }
  }
  assertEquals(wrong, []);
  assert(read > 40, `${read}`);
});

Deno.test("every recipe can be read, by current names", async () => {
  const notes: string[] = [];
  const { error } = console;
  console.error = (line: string) => notes.push(line);
  try {
    for await (const { name, isFile } of Deno.readDir(`${root}recipes`)) {
      const command = commands.find((one) => one.name === (/prune/.test(name) ? "prune" : "train"))!;
      if (isFile) await readRecipe(`${root}recipes/${name}`, command);
    }
  } finally {
    console.error = error;
  }
  assertEquals(notes, []);
});
