import { assert, assertEquals, assertThrows } from "@std/assert";
import { unitCounts } from "../../model/costs.ts";
import { chooseByGates } from "../../prune/choose.ts";
import { constraintsOf } from "../../prune/constraints.ts";
import { unitGroups } from "../../prune/groups.ts";
import { type PruneRecord, pruneRecord } from "../../prune/record.ts";
import { encodePruneRecord, parsePruneRecord } from "../../prune/record_file.ts";
import { compact, type SurgeryModel } from "../../prune/surgery.ts";
import { randomLogAlpha } from "./configs.ts";
import { smallModel } from "./gated.ts";

function prune(model: SurgeryModel, target: number, seed: number, before: PruneRecord | null) {
  const { config } = model;
  const constraints = constraintsOf(config, { method: "mac", target, seconds: 1 });
  const choice = chooseByGates(randomLogAlpha(unitGroups(config), seed), { config, constraints });
  const about = { version: "0.1.0", base_model: `model ${seed}`, method: "mac", round_to: 1 };
  const record = pruneRecord({ ...about, config, constraints, choice, before });
  return { record, choice, model: compact(model, choice) };
}

Deno.test("a record has the achieved costs, and is the same after encoding and parsing", () => {
  const { model } = smallModel("large");
  const { record, choice, model: small } = prune(model, 0.4, 1, null);
  const [constraint] = record.constraints;
  assertEquals(constraint!.quantity, "macs");
  assertEquals(constraint!.samples, 16000);
  assertEquals(constraint!.removed, 1 - constraint!.cost / constraint!.base_cost);
  assert(Math.abs(constraint!.removed - 0.4) < 0.01);
  const { conv, heads, ffn } = unitCounts(small.config);
  const counts = { conv, heads, ffn };
  for (const { name, kind, layer, units } of unitGroups(model.config)) {
    assertEquals(record.units[name], { of: units, kept: choice.get(name)!.indices });
    assertEquals(record.units[name]!.kept.length, counts[kind][layer]);
  }
  const text = encodePruneRecord(record);
  assertEquals(parsePruneRecord(text), record);
  assert(text.split("\n").length < 100, "lists of units are one line each");
});

Deno.test("after a second pruning, the record has the indices of the first model, and its history", () => {
  const { model } = smallModel("base");
  const first = prune(model, 0.1, 1, null);
  const second = prune(first.model, 0.2, 2, first.record);
  for (const [name, { indices }] of second.choice) {
    const had = first.record.units[name]!;
    assertEquals(second.record.units[name], { of: had.of, kept: indices.map((i) => had.kept[i]!) });
  }
  const { units: _, earlier: __, ...step } = first.record;
  assertEquals(second.record.earlier, [step]);
  const third = prune(second.model, 0.05, 3, parsePruneRecord(encodePruneRecord(second.record)));
  assertEquals(third.record.earlier.map(({ base_model }) => base_model), ["model 1", "model 2"]);
  assertThrows(
    () => prune(model, 0.1, 1, first.record),
    RangeError,
    "Cannot prune by espalier.json as it must be of the model",
  );
});

Deno.test("a broken record is refused with file and field", () => {
  const good = JSON.parse(encodePruneRecord(prune(smallModel("base").model, 0.1, 1, null).record));
  const refused = (change: Record<string, unknown>, message: string) => {
    const error = assertThrows(() =>
      parsePruneRecord(JSON.stringify({ ...good, ...change }), "a/espalier.json")
    );
    assert((error as Error).message.includes(message), (error as Error).message);
    assert(!(error as Error).message.includes("\n"));
  };
  refused({ method: 3 }, "Cannot read a/espalier.json as method must be a string: it is 3");
  refused({ constraints: {} }, "constraints must be a list");
  refused({ constraints: [null] }, "a/espalier.json, constraints 0 as it must be an object");
  refused({ constraints: [{ quantity: "flops" }] }, "quantity must be");
  refused({ units: [] }, "units must be an object");
  refused({ units: { "conv": {} } }, "units must name groups such as conv.0: it names");
  refused(
    { units: { "conv.0": { of: 3, kept: [0, 3] } } },
    "units conv.0 as kept must be whole numbers from 0 to 2",
  );
  refused({ units: { "conv.0": { of: 3, kept: [2, 1] } } }, "kept must rise");
  refused({ earlier: [{}] }, "earlier 0 as version must be a string: it is missing");
  refused({ round_to: 0 }, "round_to must be a whole number");
  assertThrows(() => parsePruneRecord("{"), SyntaxError, "espalier.json");
});
