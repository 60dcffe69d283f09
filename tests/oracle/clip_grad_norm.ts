import { type Nd, nd } from "./nd.ts";

/**
 * Gradients times min(1, maxNorm/(norm + 1e-6)), where norm is the 2-norm over all of them
 * together, as torch.nn.utils.clip_grad_norm_; `norm` is the one before clipping.
 */
export function clipGradNorm(gradients: readonly Nd[], maxNorm: number): { gradients: Nd[]; norm: number } {
  let squares = 0;
  for (const { data } of gradients) {
    for (const g of data) squares += g * g;
  }
  const norm = Math.sqrt(squares);
  const factor = Math.min(1, maxNorm / (norm + 1e-6));
  return {
    norm,
    gradients: gradients.map((g) => nd(g.shape, g.data.map((v) => v * factor))),
  };
}
