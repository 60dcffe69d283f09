import { assertEquals, assertStringIncludes } from "@std/assert";
import { preferVulkan } from "../../cli/backend.ts";
import { doubtsOn, type Machine, type MemoryReport } from "../../cli/resources.ts";
import { freeSpace } from "../../files/free_space.ts";
import { requestGpu } from "../../tensor/gpu.ts";
import { hasMemory } from "../../tensor/reserve.ts";
import { withLimitedMemory } from "../tensor/failing_device.ts";
import { assertMistake, run, withCorpus } from "../train/tone_corpus.ts";

const need: MemoryReport = {
  device: "a GPU",
  software: false,
  device_bytes: 8e9,
  host_bytes: 2e9,
  disk_bytes: 3e9,
};
const enough: Machine = { memory: { total: 16e9, available: 10e9 }, hasDeviceMemory: true, disk: 4e9 };
const run1 = { command: "train", out: "out", held: 5e8 };

Deno.test("what a run needs is compared with memory, device and disk", () => {
  const less = "(fewer --batch-seconds or --grad-checkpoint need less)";
  const cases: [Partial<MemoryReport>, Partial<Machine>, string | null, string[]][] = [
    [{}, {}, null, []],
    [{}, { memory: null, hasDeviceMemory: null, disk: null }, null, []],
    [{ software: true }, {}, null, []],
    [
      { host_bytes: 10.6e9 },
      {},
      null,
      [`the run takes 10.10 GB more memory, and 10.00 GB are available ${less}`],
    ],
    [
      { software: true, device_bytes: 15e9 },
      {},
      `Cannot train as it takes 17.00 GB of memory: this machine has 16.00 GB ${less}`,
      [],
    ],
    [
      {},
      { hasDeviceMemory: false },
      `Cannot train as it takes 8.00 GB of device memory: a GPU has less free ${less}`,
      [],
    ],
    [
      {},
      { disk: 1e9 },
      "Cannot train as states and models take 3.00 GB of disk: out has 1.00 GB left",
      [],
    ],
  ];
  for (const [more, machine, refusal, warnings] of cases) {
    assertEquals(doubtsOn(run1, { ...need, ...more }, { ...enough, ...machine }), { refusal, warnings });
  }
});

Deno.test("a device that has the memory is not taken for one that has not", async () => {
  preferVulkan();
  await withLimitedMemory(1e8, async () => {
    using gpu = await requestGpu();
    const { live, allBytes } = gpu.pool;
    assertEquals([await hasMemory(gpu, 5e7), await hasMemory(gpu, 2e8), await hasMemory(gpu, 5e7)], [
      true,
      false,
      true,
    ]);
    assertEquals([gpu.pool.live, gpu.pool.allBytes], [live, allBytes]);
  });
});

Deno.test("free space is that of the nearest folder that exists", async () => {
  const free = await freeSpace("/");
  assertEquals(typeof free, "number");
  assertEquals(typeof await freeSpace(`${await Deno.realPath(".")}/none/such/folder`), "number");
  assertEquals(typeof await freeSpace("."), "number");
});

Deno.test("a run that does not fit is refused before it starts, and --dry-run shows why", () =>
  withCorpus(async (dir) => {
    const { systemMemoryInfo } = Deno;
    const words = ["train", "--recipe", `${dir}/recipe.json`, "--out", `${dir}/out`, "--lr", "0.003"];
    try {
      const small = { ...systemMemoryInfo(), total: 1e8, available: 5e7, swapTotal: 0, swapFree: 0 };
      Object.assign(Deno, { systemMemoryInfo: () => small });
      const rule = "Cannot train as it takes ";
      assertMistake(await run(...words), rule);
      assertEquals(await Deno.stat(`${dir}/out/config.json`).catch(() => null), null);
      const dry = await run(...words, "--dry-run", "--json");
      assertEquals(dry.status, 0, dry.err);
      assertStringIncludes(dry.err, `note: ${rule}`);
      assertEquals(JSON.parse(dry.out).disk_bytes > 0, true);
    } finally {
      Object.assign(Deno, { systemMemoryInfo });
    }
    const { status, err } = await run(...words);
    assertEquals(status, 0, err);
  }));

Deno.test("a tensor beyond the adapter's largest buffer is found before the run", () =>
  withCorpus(async (dir) => {
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (descriptor) {
      const device = await requestDevice.call(this, descriptor);
      const { limits } = device;
      const small = (name: string | symbol) =>
        name === "maxBufferSize" ? 1 << 16 : Reflect.get(limits, name, limits);
      return Object.defineProperty(device, "limits", {
        value: new Proxy({}, { get: (_, name) => small(name) }),
      });
    };
    try {
      const failed = await run("train", "--recipe", `${dir}/recipe.json`, "--out", `${dir}/out`);
      assertMistake(
        failed,
        "Cannot allocate a tensor as a buffer of this adapter holds at most 65536 bytes: ",
      );
      assertEquals(await Deno.stat(`${dir}/out/config.json`).catch(() => null), null);
    } finally {
      GPUAdapter.prototype.requestDevice = requestDevice;
    }
  }));
