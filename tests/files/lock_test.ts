import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { acquireLock } from "../../files/lock.ts";
import { lockFolder, writeWholeFolder } from "../../files/whole_folder.ts";
import { withFolder } from "../data/folder.ts";

const module = (name: string) => JSON.stringify(new URL(`../../files/${name}.ts`, import.meta.url).href);

/** A process that runs some code with `acquireLock`; its words on standard output. */
function start(code: string): Deno.ChildProcess {
  const program = `import { acquireLock } from ${module("lock")};\n${code}`;
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", program],
    stdout: "piped",
    stderr: "null",
  }).spawn();
}

async function firstWord(child: Deno.ChildProcess): Promise<string> {
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return new TextDecoder().decode(value).trim();
}

const exists = (path: string) => Deno.lstat(path).then(() => true, () => false);

for (const native of [true, false]) {
  const kind = native ? "of the file system" : "by signs alone";
  Deno.test(`a lock ${kind} is held by one, refused to others and free after it is released`, () =>
    withFolder({}, async (dir) => {
      const path = `${dir}/lock`;
      const options = { target: `${dir}/out`, native, silence: 600 };
      const first = await acquireLock(path, options);
      const { message } = await assertRejects(() => acquireLock(path, options), Error);
      assertStringIncludes(
        message,
        `Cannot write to ${dir}/out as one process at a time may: it is used by process ${Deno.pid}, `,
      );
      const waited: string[] = [];
      const begun = Promise.withResolvers<void>();
      const onWait = (holder: string) => {
        waited.push(holder);
        begun.resolve();
      };
      const second = acquireLock(path, { ...options, onWait });
      await begun.promise;
      await new Promise((done) => setTimeout(done, 1500)); // longer than silence
      first[Symbol.dispose]();
      using _second = await second;
      assertEquals(waited.length, 1);
      assertStringIncludes(waited[0]!, `process ${Deno.pid}`);
      first[Symbol.dispose](); // once more: it has no effect
      assert(await exists(path));
    }));

  Deno.test(`of many that want a lock ${kind} that a killed process left, one gets it`, () =>
    withFolder({}, async (dir) => {
      const path = `${dir}/lock`;
      const options = { target: dir, native, silence: 600 };
      const child = start(
        `const lock = await acquireLock(${JSON.stringify(path)}, ${JSON.stringify(options)});
         console.log(lock ? "has it" : ""); setTimeout(() => lock, 1e9);`,
      );
      assertEquals(await firstWord(child), "has it");
      // Its signs may be late on a busy machine; the first one shows that it lives.
      const patient = { ...options, silence: 30_000 };
      await assertRejects(() => acquireLock(path, patient), Error, `process ${child.pid}`);
      child.kill("SIGKILL");
      await child.output();
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => acquireLock(path, options)));
      const got = results.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
      assertEquals(got.length, 1);
      got[0]![Symbol.dispose]();
      assertEquals(await exists(path), false);
    }));
}

Deno.test("a lock of another machine is taken over once it gives no sign, and not before", () =>
  withFolder({}, async (dir) => {
    const path = `${dir}/lock`;
    const options = { target: dir, silence: 900 };
    const holder = JSON.stringify({ pid: 17, host: "elsewhere", since: "2030-01-02T03:04:05Z", id: "x" });
    await Deno.writeTextFile(path, holder);
    const sign = setInterval(() => Deno.utimeSync(path, new Date(), new Date()), 300);
    await assertRejects(
      () => acquireLock(path, options),
      Error,
      "process 17 on elsewhere, since 2030-01-02 03:04:05 UTC",
    );
    clearInterval(sign);
    const start = performance.now();
    (await acquireLock(path, options))[Symbol.dispose]();
    assert(performance.now() - start > 850);
    await Deno.writeTextFile(path, holder);
    await Deno.utime(path, 0, 0); // long ago
    (await acquireLock(path, options))[Symbol.dispose]();
  }));

Deno.test("two processes that count in turn under a lock count to the same end", () =>
  withFolder({ count: "0" }, async (dir) => {
    const [lock, count] = [`${dir}/lock`, `${dir}/count`].map((path) => JSON.stringify(path));
    const code = `for (let i = 0; i < 8; i++) {
      using _ = await acquireLock(${lock}, { target: "count", onWait() {} });
      const n = Number(Deno.readTextFileSync(${count}));
      await new Promise((done) => setTimeout(done, 5));
      Deno.writeTextFileSync(${count}, String(n + 1));
    }`;
    await Promise.all([start(code), start(code)].map((child) => child.output()));
    assertEquals(await Deno.readTextFile(`${dir}/count`), "16");
  }));

Deno.test("a folder is made whole by one process at a time, whatever a killed one left", () =>
  withFolder({ "new.partial/old": "x" }, async (dir) => {
    const path = `${dir}/new`;
    await assertRejects(
      () => writeWholeFolder(path, () => Promise.reject(new Error("broken"))),
      Error,
      "broken",
    );
    assertEquals([...Deno.readDirSync(dir)], []);
    await writeWholeFolder(`${path}/`, async (partial) => {
      assertEquals([await exists(partial), await exists(path)], [false, false]);
      await Deno.mkdir(partial);
      await Deno.writeTextFile(`${partial}/file`, "whole");
      const message = `Cannot write to ${path} as one process at a time may`;
      await assertRejects(() => writeWholeFolder(path, () => Promise.resolve()), Error, message);
    });
    assertEquals([...Deno.readDirSync(dir)].map(({ name }) => name), ["new"]);
    assertEquals(await Deno.readTextFile(`${path}/file`), "whole");
  }));

Deno.test("the lock of a folder goes with it where it stays empty", () =>
  withFolder({}, async (dir) => {
    {
      using _lock: Disposable = await lockFolder(`${dir}/a/b`);
      await assertRejects(() => lockFolder(`${dir}/a/b`), Error, `Cannot write to ${dir}/a/b as`);
    }
    assertEquals(await exists(`${dir}/a/b`), false);
    {
      using _lock: Disposable = await lockFolder(`${dir}/c`);
      await Deno.writeTextFile(`${dir}/c/file`, "");
    }
    assertEquals([...Deno.readDirSync(`${dir}/c`)].map(({ name }) => name), ["file"]);
  }));
