import { assertEquals } from "@std/assert";
import { evaluateUtterances } from "../../../model/inference/evaluate.ts";
import type { LoadedModel } from "../../../model/inference/loaded_model.ts";

/** A model that transcribes anything as "on", in a second the first time, as if it compiled shaders, then in 0.25 s. */
function slowToBegin(clock: { seconds: number }) {
  const lengths: number[][] = [];
  const loaded = {
    model: { head: "ctc" },
    requireHead() {},
    transcribeAll(audio: readonly Float32Array[]) {
      lengths.push(audio.map(({ length }) => length));
      clock.seconds += lengths.length === 1 ? 1 : 0.25;
      return Promise.resolve(audio.map(() => ({ text: "on" })));
    },
  } as unknown as LoadedModel;
  return { loaded, lengths };
}

async function* utterances() {
  for (const [i, length] of [800, 400, 1600].entries()) {
    yield await Promise.resolve({ id: String(i), samples: new Float32Array(length), text: "on" });
  }
}

/** Passes a clock to the test, which is the time of its thread. */
async function withClock(test: (clock: { seconds: number }) => Promise<void>): Promise<void> {
  const clock = { seconds: 0 };
  const { now } = performance;
  performance.now = () => 1000 * clock.seconds;
  try {
    await test(clock);
  } finally {
    performance.now = now;
  }
}

Deno.test("the time of an evaluation is without the first runs, if it warms up", () =>
  withClock(async (clock) => {
    const { loaded, lengths } = slowToBegin(clock);
    const hypotheses: string[] = [];
    const onHypothesis = ({ hypothesis }: { hypothesis: string }) => hypotheses.push(hypothesis);
    const warm = await evaluateUtterances(loaded, utterances(), { warmUp: true, onHypothesis });
    assertEquals(lengths, [[400, 1600], [800, 400, 1600]]);
    assertEquals(warm.computeSeconds, 0.25);
    assertEquals([warm.utterances, warm.wer!.reference, hypotheses.length], [3, 3, 3]);

    const cold = slowToBegin(clock);
    const { computeSeconds } = await evaluateUtterances(cold.loaded, utterances());
    assertEquals([computeSeconds, cold.lengths.length], [1, 1]);
  }));
