import { assert, assertEquals } from "@std/assert";
import { evaluateUtterances } from "../../../model/inference/evaluate.ts";
import type { LoadedModel } from "../../../model/inference/loaded_model.ts";

/** A model that transcribes anything as "on", after 200 ms the first time, as if it compiled shaders. */
function slowToBegin() {
  const lengths: number[][] = [];
  const loaded = {
    model: { head: "ctc" },
    requireHead() {},
    async transcribeAll(audio: readonly Float32Array[]) {
      lengths.push(audio.map(({ length }) => length));
      if (lengths.length === 1) await new Promise((resolve) => setTimeout(resolve, 200));
      return audio.map(() => ({ text: "on" }));
    },
  } as unknown as LoadedModel;
  return { loaded, lengths };
}

async function* utterances() {
  for (const [i, length] of [800, 400, 1600].entries()) {
    yield await Promise.resolve({ id: String(i), samples: new Float32Array(length), text: "on" });
  }
}

Deno.test("the time of an evaluation is without the first runs, if it warms up", async () => {
  const { loaded, lengths } = slowToBegin();
  const hypotheses: string[] = [];
  const onHypothesis = ({ hypothesis }: { hypothesis: string }) => hypotheses.push(hypothesis);
  const warm = await evaluateUtterances(loaded, utterances(), { warmUp: true, onHypothesis });
  assertEquals(lengths, [[400, 1600], [800, 400, 1600]]);
  assert(warm.computeSeconds < 0.2, `${warm.computeSeconds} s`);
  assertEquals([warm.utterances, warm.wer!.reference, hypotheses.length], [3, 3, 3]);

  const cold = slowToBegin();
  const { computeSeconds } = await evaluateUtterances(cold.loaded, utterances());
  assert(computeSeconds >= 0.19);
  assertEquals(cold.lengths.length, 1);
});
