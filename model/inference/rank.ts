/** A class and its probability. */
export interface Ranked {
  /** Label, from `id2label` of the config. */
  readonly label: string;
  /** Probability, 0 to 1. */
  readonly probability: number;
}

/** The softmax of scores by label, the most probable class first. */
export function rank(scores: Float32Array, labels: Readonly<Record<number, string>>): Ranked[] {
  const largest = Math.max(...scores);
  const weights = [...scores].map((score) => Math.exp(score - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights
    .map((weight, i) => ({ label: labels[i]!, probability: weight / total }))
    .sort((a, b) => b.probability - a.probability);
}
