// y[b, i, t, s] = g[b, t, h]·r[s − t + T − 1, h] with h = kept[i] (h = i without a choice of heads): a row per
// (utterance b, head i, query t): T keys s, then zeros up to a multiple of four.
// dg[b, t, h] = Σ_s dy[b, i, t, s]·r[s − t + T − 1, h],
// dr[k, h] = Σ_b Σ_t dy[b, i, t, t + k − T + 1]·g[b, t, h], over the queries with a key at that offset.
// LANES invocations share a row and add up through workgroup memory; with one there is no barrier.
// Entry point `forward` writes `y`; `gates` writes `dg`; `offsets` adds the queries of a window to `dr` of each utterance, one
// diagonal per invocation, and reduce_rows sums over the utterances.

struct Params {
  rows: u32, // rows of this window
  first: u32, // index of the first
  frames: u32, // T
  row: u32, // elements of a row of y, including padding
  heads: u32, // heads of y
  width: u32, // H, heads of g and r
}

override CHOICE: bool = false;

@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(1) var<storage, read> r: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dg: array<f32>;
@group(0) @binding(5) var<storage, read_write> dr: array<f32>; // [B, 2T − 1, H]
@group(0) @binding(6) var<storage, read> kept: array<i32>;
@group(0) @binding(7) var<uniform> params: Params;

struct Row {
  query: u32,
  head: u32, // in g and r
  gate: u32, // address in g
}

/// Head of g and r for head i of y.
fn dense_head(i: u32) -> u32 {
  if (CHOICE) {
    return u32(kept[i]);
  }
  return i;
}

fn locate(row: u32) -> Row {
  let query = row % params.frames;
  let head = dense_head(row / params.frames % params.heads);
  let utterance = row / params.frames / params.heads;
  return Row(query, head, (utterance * params.frames + query) * params.width + head);
}

/// Address in r of the offset between a query and a key.
fn offset_of(row: Row, key: u32) -> u32 {
  return (key + params.frames - 1u - row.query) * params.width + row.head;
}

@compute @workgroup_size(64)
fn forward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = workgroup_number(workgroup, workgroups) * (64u / LANES) + local / LANES;
  if (number >= params.rows) {
    return;
  }
  let row = locate(params.first + number);
  let gate = g[row.gate];
  let quads = params.row / 4u;
  for (var quad = local % LANES; quad < quads; quad += LANES) {
    let keys = 4u * quad + vec4u(0u, 1u, 2u, 3u);
    let at = min(keys, vec4u(params.frames - 1u));
    let biases = vec4f(
      r[offset_of(row, at.x)],
      r[offset_of(row, at.y)],
      r[offset_of(row, at.z)],
      r[offset_of(row, at.w)],
    );
    y[number * quads + quad] = select(vec4f(), gate * biases, keys < vec4u(params.frames));
  }
}

@compute @workgroup_size(64)
fn gates(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = workgroup_number(workgroup, workgroups) * (64u / LANES) + local / LANES;
  let row = locate(params.first + number);
  let keys = select(0u, params.frames, number < params.rows); // beyond the last row, invocations only take part in the barriers
  var sum = 0.0;
  for (var s = local % LANES; s < keys; s += LANES) {
    sum = fma(dy[number * params.row + s], r[offset_of(row, s)], sum);
  }
  sum = sum_over_lanes(vec3f(sum), local).x;
  if (number < params.rows && local % LANES == 0u) {
    dg[row.gate] = sum;
  }
}

@compute @workgroup_size(64)
fn offsets(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 64u + local;
  let frames = params.frames;
  let diagonals = 2u * frames - 1u;
  let k = i % diagonals;
  let image = params.first / frames + i / diagonals; // utterance·heads + head
  let end = params.first + params.rows;
  if (image * frames >= end) {
    return;
  }
  // The queries of the window that have a key at this offset: 0 ≤ t + k − (T − 1) < T.
  let start = image * frames;
  let lowest = max(max(params.first, start) - start, select(0u, frames - 1u - k, k < frames));
  let limit = min(min(end - start, frames), diagonals - k);
  let head = dense_head(image % params.heads);
  let utterance = image / params.heads;
  var sum = 0.0;
  for (var t = lowest; t < limit; t++) {
    let key = t + k + 1u - frames;
    let at = (start + t - params.first) * params.row + key;
    sum = fma(dy[at], g[(utterance * frames + t) * params.width + head], sum);
  }
  dr[(utterance * diagonals + k) * params.width + head] += sum;
}
