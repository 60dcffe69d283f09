// y[r, c] = (x[r, c] − m_r)·s_r·w[c] + b[c], with m_r the mean and s_r = 1/√(variance + eps) of row r (biased).
// With gates, only channels with open[c] > 0 take part: the others have y = 0 and no gradient.
// With x̂ = (x − m)·s and g = dy·w:
//   dx = s·(g − mean(g) − x̂·mean(g·x̂)),  dw[c] = Σ_r dy·x̂,  db[c] = Σ_r dy.
// LANES invocations share a row and add up through workgroup memory; with one there is no barrier. The second pass
// over a row sums the centred numbers and their squares, and the first sum corrects the mean that was rounded.
// Entry point `forward` writes `y`, `mean` and `rstd`; `backward` writes `dx`; `weights` writes `dw` and `db` for
// each block of 64 rows, which reduce_rows adds up.

struct Params {
  rows: u32,
  channels: u32,
  first: u32, // first block of dw and db to write
  eps: f32,
}

const WIDTH = 64u;
const BLOCK = 64u;

override LANES: u32 = 64u; // a power of two, at most WIDTH
override GATED: bool = false;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> open: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> mean: array<f32>;
@group(0) @binding(6) var<storage, read_write> rstd: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;
@group(0) @binding(8) var<storage, read> dy: array<f32>;
@group(0) @binding(9) var<storage, read> means: array<f32>; // as `forward` wrote them
@group(0) @binding(10) var<storage, read> rstds: array<f32>;
@group(0) @binding(11) var<storage, read_write> dx: array<f32>;
@group(0) @binding(12) var<storage, read_write> dw: array<f32>;
@group(0) @binding(13) var<storage, read_write> db: array<f32>;

var<workgroup> parts: array<vec2f, WIDTH>;

/** The sum over the invocations of a row. */
fn row_sum(value: vec2f, local: u32) -> vec2f {
  if (LANES == 1u) {
    return value;
  }
  parts[local] = value;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (local % LANES < half) {
      parts[local] += parts[local + half];
    }
    workgroupBarrier();
  }
  let total = parts[local - local % LANES];
  workgroupBarrier();
  return total;
}

fn is_open(c: u32) -> bool {
  if (GATED) {
    return open[c] > 0.0;
  }
  return true;
}

@compute @workgroup_size(64)
fn forward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let r = workgroup_number(workgroup, workgroups) * (WIDTH / LANES) + local / LANES;
  let lane = local % LANES;
  let at = r * params.channels;
  let end = select(0u, params.channels, r < params.rows); // beyond the rows only the barriers count

  var sums = vec2f();
  for (var c = lane; c < end; c += LANES) {
    if (is_open(c)) {
      sums += vec2f(x[at + c], 1.0);
    }
  }
  sums = row_sum(sums, local);
  let count = max(sums.y, 1.0);
  let rounded = sums.x / count;

  var centred = vec2f();
  for (var c = lane; c < end; c += LANES) {
    if (is_open(c)) {
      let d = x[at + c] - rounded;
      centred += vec2f(d, d * d);
    }
  }
  centred = row_sum(centred, local) / count;
  let m = rounded + centred.x;
  let s = 1.0 / sqrt(max(centred.y - centred.x * centred.x, 0.0) + params.eps);

  for (var c = lane; c < end; c += LANES) {
    if (is_open(c)) {
      y[at + c] = (x[at + c] - m) * s * w[c] + b[c];
    } else {
      y[at + c] = 0.0;
    }
  }
  if (r < params.rows && lane == 0u) {
    mean[r] = m;
    rstd[r] = s;
  }
}

@compute @workgroup_size(64)
fn backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let r = workgroup_number(workgroup, workgroups) * (WIDTH / LANES) + local / LANES;
  let lane = local % LANES;
  let at = r * params.channels;
  let end = select(0u, params.channels, r < params.rows);
  let m = means[min(r, params.rows - 1u)];
  let s = rstds[min(r, params.rows - 1u)];

  var sums = vec2f();
  var count = vec2f();
  for (var c = lane; c < end; c += LANES) {
    if (is_open(c)) {
      let g = dy[at + c] * w[c];
      sums += vec2f(g, g * (x[at + c] - m) * s);
      count.x += 1.0;
    }
  }
  sums = row_sum(sums, local) / max(row_sum(count, local).x, 1.0);

  for (var c = lane; c < end; c += LANES) {
    if (is_open(c)) {
      let normed = (x[at + c] - m) * s;
      dx[at + c] = s * (dy[at + c] * w[c] - sums.x - normed * sums.y);
    } else {
      dx[at + c] = 0.0;
    }
  }
}

@compute @workgroup_size(64)
fn weights(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = workgroup_number(workgroup, workgroups) * 64u + local;
  let block = number / params.channels;
  let c = number % params.channels;
  let end = min((block + 1u) * BLOCK, params.rows);
  if (block * BLOCK >= end) {
    return;
  }
  var sums = vec2f();
  if (is_open(c)) {
    for (var r = block * BLOCK; r < end; r++) {
      let at = r * params.channels + c;
      sums += dy[at] * vec2f((x[at] - means[r]) * rstds[r], 1.0);
    }
  }
  let to = (params.first + block) * params.channels + c;
  dw[to] = sums.x;
  db[to] = sums.y;
}
