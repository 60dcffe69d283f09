import { type Nd, nd } from "./nd.ts";

/** Parameters with Adam's moments, in one order; `step` counts the updates done. */
export type AdamwState = {
  step: number;
  parameters: Nd[];
  expAvg: Nd[];
  expAvgSq: Nd[];
};

/** A group of parameters, by their place in the state, with its rate and decay. */
export type AdamwGroup = {
  members: number[];
  /** Learning rate; a negative one ascends. */
  lr: number;
  weightDecay?: number;
};

/** Options of {@linkcode adamw}. */
export type AdamwOptions = {
  groups: AdamwGroup[];
  betas?: [number, number];
  eps?: number;
};

/** A state with zero moments and no step done. */
export function adamwState(parameters: readonly Nd[]): AdamwState {
  return {
    step: 0,
    parameters: parameters.map((p) => nd(p.shape, p.data)),
    expAvg: parameters.map((p) => nd(p.shape)),
    expAvgSq: parameters.map((p) => nd(p.shape)),
  };
}

/**
 * One step of Adam with decoupled weight decay and bias correction, as torch.optim.AdamW;
 * gradients in the order of the parameters. Returns a new state, leaves the given one as it is.
 * Parameters in no group stay. Loshchilov and Hutter, ICLR 2019.
 */
export function adamw(
  state: AdamwState,
  gradients: readonly Nd[],
  { groups, betas: [beta1, beta2] = [0.9, 0.999], eps = 1e-8 }: AdamwOptions,
): AdamwState {
  const next = {
    step: state.step + 1,
    parameters: state.parameters.map((x) => nd(x.shape, x.data)),
    expAvg: state.expAvg.map((x) => nd(x.shape, x.data)),
    expAvgSq: state.expAvgSq.map((x) => nd(x.shape, x.data)),
  };
  const correction1 = 1 - beta1 ** next.step;
  const correction2 = 1 - beta2 ** next.step;
  for (const { members, lr, weightDecay = 0 } of groups) {
    for (const member of members) {
      const p = next.parameters[member]!.data;
      const m = next.expAvg[member]!.data;
      const v = next.expAvgSq[member]!.data;
      const g = gradients[member]!.data;
      for (let i = 0; i < p.length; i++) {
        m[i] = beta1 * m[i]! + (1 - beta1) * g[i]!;
        v[i] = beta2 * v[i]! + (1 - beta2) * g[i]! ** 2;
        const width = Math.sqrt(v[i]! / correction2) + eps;
        p[i] = p[i]! * (1 - lr * weightDecay) -
          lr * (m[i]! / correction1) / width;
      }
    }
  }
  return next;
}
