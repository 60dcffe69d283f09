// Options of the library that a program in JavaScript gets wrong.
import { assertRejects, assertThrows } from "@std/assert";
import { prune } from "../../prune/run/prune.ts";
import { checkNames, checkSettings } from "../../train/check_settings.ts";
import { finetune } from "../../train/finetune.ts";

const model = { model: { head: "ctc" } } as never;

Deno.test("an unknown method, an unknown option and missing utterances are refused before anything else", async () => {
  const refused = [
    [
      { train: [], method: "macs" },
      RangeError,
      "Cannot prune as method must be one of mac, size, sep-size, uniform",
    ],
    [
      { train: [], ramp: "cubic" },
      RangeError,
      "Cannot prune as ramp must be one of linear, quadratic: it is cubic",
    ],
    [
      { train: [], finetune_steps: 3 },
      RangeError,
      "Cannot prune as an option must be known: there is no finetune_steps",
    ],
    [{ steps: 2 }, TypeError, "Cannot prune as train is required: the path of a corpus, or utterances"],
  ] as const;
  for (const [options, kind, message] of refused) {
    await assertRejects(() => prune(model, options as never), kind, message);
  }
  await assertRejects(
    () => finetune(model, { train: [], schedule: "cosine" } as never),
    RangeError,
    "Cannot train as schedule must be one of tri-stage, linear, constant: it is cosine",
  );
});

Deno.test("names and words of options are checked", () => {
  checkNames("train", { train: [], steps: 3, lr: undefined } as never, ["train", "steps"]);
  assertThrows(
    () => checkNames("train", { train: [], stepz: 5 } as never, ["train", "steps"]),
    RangeError,
    "stepz",
  );
  checkSettings("train", { schedule: "linear", steps: 5 });
  assertThrows(
    () => checkSettings("train", { task: "st" }),
    RangeError,
    "task must be one of asr, slu: it is st",
  );
});
