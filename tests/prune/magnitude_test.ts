import { assertAlmostEquals, assertEquals } from "@std/assert";
import { parseConfig } from "../../model/config.ts";
import { unitMagnitudes } from "../../prune/magnitude.ts";
import type { Nd } from "../oracle/nd.ts";
import { randomWeights } from "../oracle/model/random_weights.ts";
import { TINY_MODELS } from "../oracle/model/tiny.ts";

Deno.test("magnitudes are the norms of a unit's own weights", () => {
  const { config: fields } = TINY_MODELS["wav2vec2 compact large"];
  const weights = randomWeights(fields, "ctc", 3);
  const config = parseConfig(JSON.stringify(fields));
  const tensors = new Map(
    [...weights].map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]),
  );
  const found = unitMagnitudes({ config, head: "ctc", tensors });
  const names = [...found.keys()];
  assertEquals(names.length, 4 + 3 + 3); // a layer without heads, another without units
  const squares = ({ shape, data }: Nd, pick: (row: number, column: number) => boolean) => {
    const [rows] = shape as [number];
    const width = data.length / rows;
    return data.reduce((sum, v, i) => sum + (pick(Math.floor(i / width), i % width) ? v * v : 0), 0);
  };
  const expect = (name: string, unit: number, parts: number[]) => {
    const expected = Math.sqrt(parts.reduce((sum, part) => sum + part, 0));
    assertAlmostEquals(found.get(name)![unit]!, expected, 1e-9 * expected, `${name} ${unit}`);
  };
  const get = (name: string) => weights.get(`wav2vec2.${name}.weight`)!;
  expect("conv.2", 3, [squares(get("feature_extractor.conv_layers.2.conv"), (row) => row === 3)]);
  const layer = "encoder.layers.2";
  const inHead = (i: number) => Math.floor(i / 8) === 1;
  expect("heads.2", 1, [
    ...["q", "k", "v"].map((part) => squares(get(`${layer}.attention.${part}_proj`), inHead)),
    squares(get(`${layer}.attention.out_proj`), (_, column) => inHead(column)),
  ]);
  expect("ffn.1", 19, [
    squares(get("encoder.layers.1.feed_forward.intermediate_dense"), (row) => row === 19),
    squares(get("encoder.layers.1.feed_forward.output_dense"), (_, column) => column === 19),
  ]);
  assertEquals([...unitMagnitudes({ config, head: "ctc", tensors }, ["conv"]).keys()], names.slice(0, 4));
});
