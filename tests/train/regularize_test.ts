import { assertEquals } from "@std/assert";
import { parseConfig } from "../../model/config.ts";
import { regularize } from "../../train/regularize.ts";
import { TINY_MODELS } from "../oracle/model/tiny.ts";

Deno.test("dropout and masks are those of the config unless given", () => {
  const config = parseConfig(JSON.stringify(TINY_MODELS["wav2vec2 base"].config));
  assertEquals(regularize(config, {}), config);
  const without = regularize(config, { dropout: 0, maskProb: 0 });
  const changed = Object.entries(without).filter(([name, value]) =>
    value !== config[name as keyof typeof config]
  );
  for (const [name] of changed) {
    assertEquals(/dropout|layerdrop|^apply_spec_augment$|^mask_time_prob$/.test(name), true, name);
  }
  assertEquals([without.hidden_dropout, without.layerdrop, without.apply_spec_augment], [0, 0, false]);
  assertEquals(regularize(without, { maskProb: 0.1 }), {
    ...without,
    apply_spec_augment: true,
    mask_time_prob: 0.1,
  });
});
