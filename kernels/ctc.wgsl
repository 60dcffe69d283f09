// CTC loss of raw scores x [B, T, V] (Graves et al., ICML 2006). The labels l of an utterance, with blanks around and between
// them, are 2·|l| + 1 states; p_t(s) is the softmax of frame t at the label of state s.
// α_t(s) = (α_{t−1}(s) + α_{t−1}(s − 1) + [s is a label other than that of s − 2]·α_{t−1}(s − 2))·p_t(s),
// P = α_T(last) + α_T(last − 1), loss = −weight·log P.
// β_t(s) = p_{t+1}(s)·β_{t+1}(s) + p_{t+1}(s + 1)·β_{t+1}(s + 1) + [as above]·p_{t+1}(s + 2)·β_{t+1}(s + 2),
// γ_t(s) = α_t(s)·β_t(s) / P, dx_{t,v} = weight·(softmax(x)_{t,v} − Σ_{s of label v} γ_t(s)).
// Entry points, in this order: `emissions` writes the softmax to `emission`; `alphas` writes `alpha`, `likelihood` and `y`;
// `betas` replaces the mantissas of `alpha` by γ; `gradient` writes `dx`. One workgroup computes the states of an utterance.

struct Params {
  count: u32, // utterances of this dispatch
  frames: u32, // T
  columns: u32, // V
  states: u32, // of the longest target
  kept: u32, // frames that alpha holds: T, or 2 without a gradient
  begin: u32, // first frame of this dispatch
  end: u32, // one past its last frame
  shift: u32, // elements of x and dx before the first utterance
  first: u32, // index of the first utterance in y
  infeasible: u32, // bits of the loss of an utterance without an alignment
  infeasible_slope: u32, // bits of its gradient
}

struct Utterance {
  frames: u32,
  states: u32,
  offset: u32, // address of its first state in path
  weight: f32, // share of its loss in the result
}

// Flags of a state in `path`.
const ENTERS = 1u; // may be entered from s − 2
const LEAVES = 2u; // may be left to s + 2

override WIDTH: u32 = 256u; // invocations that share the states of an utterance

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> utterances: array<Utterance>;
@group(0) @binding(2) var<storage, read> path: array<u32>; // states: 4·label + flags
@group(0) @binding(3) var<storage, read> sorted_states: array<u32>; // indices of an utterance's states, sorted by label
@group(0) @binding(4) var<storage, read> label_starts: array<u32>; // [B, V + 1]: where the states of a label start
@group(0) @binding(5) var<storage, read_write> emission: array<Scaled>; // [B, T, V]
@group(0) @binding(6) var<storage, read_write> alpha: array<Scaled>; // [B, kept, states]
@group(0) @binding(7) var<storage, read_write> beta: array<Scaled>; // [B, 2, states]: p_t(s)·β_t(s)
@group(0) @binding(8) var<storage, read_write> likelihood: array<Scaled>; // [B]: P
@group(0) @binding(9) var<storage, read_write> y: array<f32>;
@group(0) @binding(10) var<storage, read_write> dx: array<f32>;
@group(0) @binding(11) var<uniform> params: Params;

@compute @workgroup_size(64)
fn emissions(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let rows = params.count * params.frames;
  let row = lane_row(workgroup_number(workgroup, workgroups), local, rows, params.columns);
  let first = params.shift + row.start;
  let norm = row_norm(first, params.columns, local);
  if (row.inside) {
    for (var v = row.lane; v < params.columns; v += LANES) {
      emission[row.start + v] = scaled_exp(log_probability(first + v, norm));
    }
  }
}

fn one_if(condition: bool) -> Scaled {
  return scaled(select(0.0, 1.0, condition), 0);
}

fn emitted(number: u32, t: u32, state: u32) -> Scaled {
  return emission[(number * params.frames + t) * params.columns + (state >> 2u)];
}

@compute @workgroup_size(WIDTH)
fn alphas(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = workgroup_number(workgroup, workgroups);
  if (number >= params.count) {
    return;
  }
  let utterance = utterances[number];
  for (var t = params.begin; t < min(params.end, utterance.frames); t++) {
    let row = (number * params.kept + t % params.kept) * params.states;
    let before = (number * params.kept + (t + params.kept - 1u) % params.kept) * params.states;
    for (var s = local; s < utterance.states; s += WIDTH) {
      let state = path[utterance.offset + s];
      var paths = one_if(s < 2u);
      if (t > 0u) {
        var near = one_if(false);
        var far = near;
        if (s >= 1u) {
          near = alpha[before + s - 1u];
        }
        if ((state & ENTERS) != 0u) {
          far = alpha[before + s - 2u];
        }
        paths = scaled_sum(alpha[before + s], near, far);
      }
      alpha[row + s] = scaled_product(paths, emitted(number, t, state));
    }
    storageBarrier();
  }
  if (local > 0u || params.end < params.frames) {
    return;
  }
  var total = one_if(utterance.states == 1u);
  if (utterance.frames > 0u) {
    let last = (number * params.kept + (utterance.frames - 1u) % params.kept) * params.states + utterance.states - 1u;
    total = alpha[last];
    if (utterance.states > 1u) {
      total = scaled_sum(total, alpha[last - 1u], one_if(false));
    }
  }
  likelihood[number] = total;
  y[params.first + number] = select(-utterance.weight * scaled_log(total), bitcast<f32>(params.infeasible), total.m == 0.0);
}

@compute @workgroup_size(WIDTH)
fn betas(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = workgroup_number(workgroup, workgroups);
  if (number >= params.count) {
    return;
  }
  let utterance = utterances[number];
  let total = likelihood[number];
  for (var t = min(params.end, utterance.frames); t > params.begin; t--) {
    // The frame is t − 1.
    let row = (number * 2u + t % 2u) * params.states;
    let after = (number * 2u + (t + 1u) % 2u) * params.states;
    for (var s = local; s < utterance.states; s += WIDTH) {
      let state = path[utterance.offset + s];
      var paths = one_if(s + 2u >= utterance.states);
      if (t < utterance.frames) {
        var near = one_if(false);
        var far = near;
        if (s + 1u < utterance.states) {
          near = beta[after + s + 1u];
        }
        if ((state & LEAVES) != 0u) {
          far = beta[after + s + 2u];
        }
        paths = scaled_sum(beta[after + s], near, far);
      }
      beta[row + s] = scaled_product(paths, emitted(number, t - 1u, state));
      let at = (number * params.frames + t - 1u) * params.states + s;
      let reached = alpha[at];
      alpha[at].m = reached.m * paths.m / total.m * power_of_two(reached.e + paths.e - total.e);
    }
    storageBarrier();
  }
}

@compute @workgroup_size(64)
fn gradient(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  // Neighbouring invocations take the same label of neighbouring frames, so that their loops are equally long.
  let i = workgroup_number(workgroup, workgroups) * 64u + local;
  let t = i % params.frames;
  let v = i / params.frames % params.columns;
  let number = i / params.frames / params.columns;
  if (number >= params.count) {
    return;
  }
  let utterance = utterances[number];
  let row = number * params.frames + t;
  var slope = 0.0;
  if (t < utterance.frames && likelihood[number].m == 0.0) {
    slope = bitcast<f32>(params.infeasible_slope);
  } else if (t < utterance.frames) {
    let start = number * (params.columns + 1u) + v;
    var share = 0.0;
    for (var k = label_starts[start]; k < label_starts[start + 1u]; k++) {
      share += alpha[row * params.states + sorted_states[k]].m;
    }
    let probability = emission[row * params.columns + v];
    slope = utterance.weight * (probability.m * power_of_two(probability.e) - share);
  }
  dx[params.shift + row * params.columns + v] = slope;
}
