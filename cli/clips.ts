import { loadAudio } from "../data/audio/audio.ts";
import type { Utterance } from "../data/corpus/corpus.ts";
import type { LabelledUtterance } from "../model/inference/evaluate.ts";

/** The clips of a corpus in turn; the next one is read while the device works on one. */
export async function* clipsOf(utterances: readonly Utterance[]): AsyncGenerator<LabelledUtterance> {
  const read = async ({ id, audio, text, intent }: Utterance): Promise<LabelledUtterance> => {
    const { samples } = await loadAudio(audio);
    return {
      id,
      samples,
      ...(text !== undefined && { text }),
      ...(intent !== undefined && { intent }),
    };
  };
  let next: Promise<LabelledUtterance> | null = null;
  for (let i = 0; i < utterances.length; i++) {
    const clip = await (next ?? read(utterances[i]!));
    next = i + 1 < utterances.length ? read(utterances[i + 1]!) : null;
    next?.catch(() => {}); // thrown when it is awaited
    yield clip;
  }
}
