// Softmax over keys, in place, a row per (utterance, head, query):
//   p_s = exp(x_s − max)/Σ exp,  x_s = scale·score_s + bias_s,  over the valid keys s of the utterance; 0 beyond.
// Its pullback, also in place (dp becomes the gradient of x):
//   dx_s = p_s·(dp_s − Σ_r dp_r·p_r).
// LANES invocations share a row: 64 on a GPU, so that they read neighbouring keys; 1 on a software adapter, where barriers cost
// more than strided reads. Entry point `forward` updates `p`; `backward` updates `dp`, multiplied by `scale` (1 for the gradient
// of the bias); `gate_heads` writes `dc`; `sum_heads` writes `dgate`.

struct Params {
  n: u32, // rows or elements of this window
  first: u32, // index of the first
  frames: u32, // keys of a row
  queries: u32, // rows of a head
  row: u32, // Numbers of a row of scores and of the bias, including padding
  heads: u32,
  width: u32, // elements of a head
  scale: f32,
  own_bias: u32, // 1 if the bias has a row for each row of this window, 0 if utterances share it
}

override LENGTHS: bool = false;
override BIAS: bool = false;

@group(0) @binding(0) var<storage, read_write> p: array<Number>;
@group(0) @binding(1) var<storage, read> probability: array<Number>;
@group(0) @binding(2) var<storage, read_write> dp: array<Number>;
@group(0) @binding(3) var<storage, read> lengths: array<i32>;
@group(0) @binding(4) var<storage, read> bias: array<Number>;
@group(0) @binding(5) var<storage, read> gate: array<f32>;
@group(0) @binding(6) var<storage, read> dy: array<f32>;
@group(0) @binding(7) var<storage, read_write> dc: array<f32>;
@group(0) @binding(8) var<storage, read> columns: array<f32>;
@group(0) @binding(9) var<storage, read_write> dgate: array<f32>;
@group(0) @binding(10) var<uniform> params: Params;

struct Row {
  inside: bool,
  start: u32, // address of its first Number in the window
  keys: u32, // valid keys
  bias: u32, // address of its bias
}

fn locate(number: u32) -> Row {
  let row = params.first + number;
  let query = row % params.queries;
  let head = row / params.queries % params.heads;
  let utterance = row / params.queries / params.heads;
  var keys = params.frames;
  if (LENGTHS) {
    keys = min(keys, u32(lengths[utterance]));
  }
  let at = select(head * params.frames + query, number, params.own_bias == 1u) * params.row;
  return Row(number < params.n, number * params.row, keys, at);
}

// The scores of a Number of keys. They are computed three times: a store costs more than an exponential and two loads.
fn scores(row: Row, s: u32) -> Number {
  let x = params.scale * p[row.start + s];
  if (BIAS) {
    return x + bias[row.bias + s];
  }
  return x;
}

@compute @workgroup_size(64)
fn forward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let lane = local % LANES;
  let row = locate(workgroup_number(workgroup, workgroups) * (64u / LANES) + local / LANES);
  let end = select(0u, params.row, row.inside);
  var most = Number(-3.0e38);
  for (var s = lane; s < end; s += LANES) {
    most = max(most, first_of(row.keys, s, scores(row, s), Number(-3.0e38)));
  }
  let largest = largest_over_lanes(largest_of(most), local);
  var sum = Number();
  for (var s = lane; s < end; s += LANES) {
    sum += first_of(row.keys, s, exp(scores(row, s) - largest), Number());
  }
  let share = 1.0 / sum_over_lanes(vec3f(total(sum)), local).x;
  for (var s = lane; s < end; s += LANES) {
    p[row.start + s] = first_of(row.keys, s, exp(scores(row, s) - largest) * share, Number());
  }
}

@compute @workgroup_size(64)
fn backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let lane = local % LANES;
  let row = locate(workgroup_number(workgroup, workgroups) * (64u / LANES) + local / LANES);
  let end = select(0u, params.row, row.inside);
  var dots = Number();
  for (var s = lane; s < end; s += LANES) {
    let at = row.start + s;
    dots += first_of(row.keys, s, dp[at] * probability[at], Number());
  }
  let dot = sum_over_lanes(vec3f(total(dots)), local).x;
  for (var s = lane; s < end; s += LANES) {
    let at = row.start + s;
    dp[at] = first_of(row.keys, s, params.scale * probability[at] * (dp[at] - dot), Number());
  }
}

// dc = dy·gate of the head: the gradient of the context before its gate.
@compute @workgroup_size(256)
fn gate_heads(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 256u + local;
  if (i < params.n) {
    dc[i] = dy[i] * gate[(params.first + i) / params.width % params.heads];
  }
}

// The gates' gradients from the sums over rows of dy·context.
@compute @workgroup_size(64)
fn sum_heads(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.n) {
    var sum = 0.0;
    for (var d = 0u; d < params.width; d++) {
      sum += columns[id.x * params.width + d];
    }
    dgate[id.x] = sum;
  }
}
