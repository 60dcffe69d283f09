import { assertEquals } from "@std/assert";
import { readTuning, tuningFile } from "../../cli/tuning.ts";
import config from "../../deno.json" with { type: "json" };
import { GEMM_VARIANTS } from "../../kernels/gemm/choice.ts";
import { withEnv } from "../env.ts";
import { testGpu } from "../gpu.ts";

Deno.test("a kept measurement counts if it is of this adapter, this version and all of its kernels", async () => {
  const gpu = await testGpu();
  const folder = await Deno.makeTempDir();
  const test = async () => {
    assertEquals(await readTuning(gpu), null);
    const ms = Object.fromEntries(GEMM_VARIANTS.map((variant, i) => [variant, i + 1]));
    const { texture: _, ...fewer } = ms;
    // Slow kernels were not timed for the second GEMM.
    const timings = [
      { name: "≤32 ≤4096 ≤64", ms, best: "texture" },
      { name: ">64 >2097152 >512", ms: { "tile-64": 1 }, best: "tile-64" },
    ] as const;
    const tuning = { adapter: gpu.name, version: config.version, timings };
    const cases = [
      { kept: tuning, counts: true },
      { kept: { ...tuning, adapter: "another" }, counts: false },
      { kept: { ...tuning, version: "0.0.0" }, counts: false },
      { kept: { ...tuning, timings: [{ ...timings[0], ms: fewer }] }, counts: false },
      { kept: { ...tuning, timings: [{ ...timings[0], ms: { ...ms, "tile-7": 1 } }] }, counts: false },
    ];
    const path = tuningFile(gpu.name);
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    for (const { kept, counts } of cases) {
      await Deno.writeTextFile(path, JSON.stringify(kept));
      assertEquals(await readTuning(gpu) !== null, counts);
    }
    await Deno.writeTextFile(path, JSON.stringify(tuning).slice(0, 40)); // cut short
    assertEquals(await readTuning(gpu), null);
  };
  try {
    await withEnv({ XDG_CACHE_HOME: folder }, test);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
