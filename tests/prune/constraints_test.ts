import { assertEquals, assertThrows } from "@std/assert";
import { unitCounts } from "../../model/costs.ts";
import { type ConstraintOptions, constraintsOf } from "../../prune/constraints.ts";
import { parseKinds, unitGroups, withCounts } from "../../prune/groups.ts";
import { configOf } from "./configs.ts";

const config = configOf("tiny-base");

Deno.test("groups of a dense and of a compact model", () => {
  const groups = unitGroups(config);
  assertEquals(groups.length, 7 + 2 * 4);
  assertEquals(groups[6], { name: "conv.6", kind: "conv", layer: 6, units: 96, least: 1 });
  assertEquals(groups[9], { name: "heads.1", kind: "heads", layer: 1, units: 4, least: 0 });
  const compact = { ...config, num_attention_heads: [4, 0, 4, 4], intermediate_size: [0, 1, 2, 3] };
  const names = unitGroups(compact, ["heads", "ffn"]).map(({ name }) => name);
  assertEquals(names, ["heads.0", "ffn.1", "heads.2", "ffn.2", "heads.3", "ffn.3"]);
  const heads = unitGroups(compact, ["heads"]);
  assertEquals(withCounts(unitCounts(compact), heads, [1, 2, 3]).heads, [1, 0, 2, 3]);
});

Deno.test("kinds of units are read from the command line", () => {
  assertEquals(parseKinds("ffn, conv"), ["conv", "ffn"]);
  assertThrows(() => parseKinds("conv,head"), RangeError, 'conv, heads, ffn: found "head"');
  assertThrows(() => parseKinds(","), RangeError, "conv, heads, ffn: found none");
});

Deno.test("the methods' constraints", () => {
  const show = (options: ConstraintOptions) =>
    constraintsOf(config, options).map(({ cost, target, kinds }) => [cost.quantity, target, kinds.join()]);
  assertEquals(show({ method: "size", target: 0.5 }), [["parameters", 0.5, "conv,heads,ffn"]]);
  assertEquals(show({ method: "mac", target: 0.2, kinds: ["ffn"] }), [["macs", 0.2, "ffn"]]);
  assertEquals(show({ method: "sep-size", target: 0.5, targetConv: 0.25 }), [
    ["conv", 0.25, "conv"],
    ["transformer", 0.5, "heads,ffn"],
  ]);
  assertEquals(show({ method: "sep-size", target: 0.5, targetConv: 0, kinds: ["heads", "ffn"] }), [
    ["transformer", 0.5, "heads,ffn"],
  ]);
  assertEquals(constraintsOf(config, { method: "mac", target: 0.5 })[0]!.cost.samples, 160000);
  assertEquals(constraintsOf(config, { method: "mac", target: 0.5, seconds: 1.5 })[0]!.cost.samples, 24000);
});

Deno.test("targets out of reach are refused", () => {
  const refused = (options: ConstraintOptions, message: string) =>
    assertThrows(() => constraintsOf(config, options), RangeError, message);
  refused({ method: "mac", target: 1.2 }, "Cannot prune macs as the target must be a share from 0 to 1: 1.2");
  refused({ method: "mac", target: NaN }, "a share from 0 to 1: NaN");
  refused({ method: "mac", target: 0.99, kinds: ["heads"] }, "heads can remove a share of 0.");
  refused(
    { method: "sep-size", target: 0.5, kinds: ["conv"] },
    "its target must be 0 without units that may be removed",
  );
  refused(
    { method: "mac", target: 0.5, seconds: 0.01 },
    "the reference length must be one frame or more: 160 samples",
  );
});
