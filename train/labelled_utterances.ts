import type { Utterance } from "../data/corpus/utterance.ts";
import { UtteranceReader } from "../data/corpus/utterance_reader.ts";
import type { LabelledUtterance } from "../model/inference/evaluate.ts";

/** Reads the audio of utterances in turn; the next file is read while the device works on the last one. */
export async function* readUtterances(utterances: readonly Utterance[]): AsyncGenerator<LabelledUtterance> {
  using reader = new UtteranceReader();
  const read = async ({ id, text, intent, ...place }: Utterance): Promise<LabelledUtterance> => {
    const { samples } = await reader.read(place, { sampleRate: 16_000 });
    return {
      id,
      samples,
      ...(text !== undefined && { text }),
      ...(intent !== undefined && { intent }),
    };
  };
  let next: Promise<LabelledUtterance> | null = null;
  for (let i = 0; i < utterances.length; i++) {
    const utterance = await (next ?? read(utterances[i]!));
    next = i + 1 < utterances.length ? read(utterances[i + 1]!) : null;
    next?.catch(() => {}); // thrown when it is awaited
    yield utterance;
  }
}
