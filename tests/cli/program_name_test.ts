import { assertEquals, assertStringIncludes } from "@std/assert";
import { programName, seeHelp, setProgramName, type Started } from "../../cli/program_name.ts";

const none: Started = { script: undefined, isTask: false, url: undefined, isCompiled: false };

Deno.test("hints name the program as the user started it", () => {
  const before = programName();
  try {
    const cases: [Partial<Started>, string][] = [
      [{}, "./espalier"],
      [{ script: "./espalier", isTask: true }, "./espalier"],
      [{ script: "/opt/my tools/espalier" }, "'/opt/my tools/espalier'"],
      [{ isTask: true }, "deno task"],
      [{ isCompiled: true }, "espalier"],
      [{ url: "https://example.com/cli.ts", isTask: true }, "deno run -A https://example.com/cli.ts"],
      [{ url: "https://example.com/espalier/cli.ts" }, "deno run -A https://example.com/espalier/cli.ts"],
    ];
    for (const [started, name] of cases) {
      setProgramName({ ...none, ...started });
      assertEquals([programName(), seeHelp("train"), seeHelp()], [
        name,
        `see ${name} train --help`,
        `see ${name} help`,
      ]);
      setProgramName({ ...none, script: before });
    }
  } finally {
    setProgramName({ ...none, script: before });
  }
});

Deno.test(
  "the set-up script and deno task state their names",
  { ignore: Deno.build.os === "windows" },
  async () => {
    const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
    const errorOf = async (program: string, ...args: string[]) => {
      const { stderr } = await new Deno.Command(program, { args, cwd: `${root}docs` }).output();
      return new TextDecoder().decode(stderr);
    };
    assertStringIncludes(await errorOf("/bin/sh", "-c", "../espalier train"), "see ../espalier train --help");
    assertStringIncludes(await errorOf(Deno.execPath(), "task", "train"), "see deno task train --help");
  },
);
