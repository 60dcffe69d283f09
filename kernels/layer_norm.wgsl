// y[r, c] = (x[r, c] − m_r)·s_r·w[c] + b[c], with m_r the mean and s_r = 1/√(variance + eps) of row r (biased).
// With gates, only channels with open[c] > 0 count: the others have y = 0 and no gradient.
// With x̂ = (x − m)·s and g = dy·w:
//   dx = s·(g − mean(g) − x̂·mean(g·x̂)),  dw[c] = Σ_r dy·x̂,  db[c] = Σ_r dy.
// LANES invocations share a row and add up through workgroup memory; with one there is no barrier. The second pass over a row
// sums the centred elements and their squares; the first of these sums corrects the rounding of the mean.
// Entry point `forward` writes `y`, `mean` and `rstd`; `backward` writes `dx`; `weights` writes `dw` and `db` for each block of
// BLOCK rows, which reduce_frames adds up.

struct Params {
  rows: u32,
  columns: u32, // Numbers of a row
  channels: f32, // f32 of a row
  first: u32, // first block of dw and db to write
  eps: f32,
  one: f32, // 1, but not known to the compiler
}

const BLOCK = 64u;

override GATED: bool = false;

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<storage, read> w: array<Number>;
@group(0) @binding(2) var<storage, read> b: array<Number>;
@group(0) @binding(3) var<storage, read> open: array<Number>;
@group(0) @binding(4) var<storage, read_write> y: array<Number>;
@group(0) @binding(5) var<storage, read_write> mean: array<f32>;
@group(0) @binding(6) var<storage, read_write> rstd: array<f32>;
@group(0) @binding(7) var<storage, read> dy: array<Number>;
@group(0) @binding(8) var<storage, read> means: array<f32>; // as `forward` wrote them
@group(0) @binding(9) var<storage, read> rstds: array<f32>;
@group(0) @binding(10) var<storage, read_write> dx: array<Number>;
@group(0) @binding(11) var<storage, read_write> dw: array<Number>;
@group(0) @binding(12) var<storage, read_write> db: array<Number>;
@group(0) @binding(13) var<uniform> params: Params;

/// v in open channels, 0 in closed ones.
fn kept(c: u32, v: Number) -> Number {
  if (GATED) {
    return select(Number(), v, open[c] > Number());
  }
  return v;
}

@compute @workgroup_size(64)
fn forward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let r = workgroup_number(workgroup, workgroups) * (64u / LANES) + local / LANES;
  let lane = local % LANES;
  let at = r * params.columns;
  let end = select(0u, params.columns, r < params.rows); // beyond the last row, invocations only take part in the barriers

  var sum = Number();
  var open_count = Number();
  for (var c = lane; c < end; c += LANES) {
    sum += kept(c, x[at + c]);
    if (GATED) {
      open_count += kept(c, Number(1.0));
    }
  }
  let sums = sum_over_lanes(vec3f(total(sum), total(open_count), 0.0), local);
  let count = select(params.channels, max(sums.y, 1.0), GATED);
  let rounded = sums.x / count;

  sum = Number();
  var squares = Number();
  for (var c = lane; c < end; c += LANES) {
    let d = kept(c, x[at + c] - rounded);
    sum += d;
    squares += d * d;
  }
  let centred = sum_over_lanes(vec3f(total(sum), total(squares), 0.0), local) / count;
  let m = rounded + centred.x;
  let s = 1.0 / sqrt(max(centred.y - centred.x * centred.x, 0.0) + params.eps);

  for (var c = lane; c < end; c += LANES) {
    y[at + c] = kept(c, (x[at + c] - m) * s * w[c] + b[c]);
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
  let r = workgroup_number(workgroup, workgroups) * (64u / LANES) + local / LANES;
  let lane = local % LANES;
  let at = r * params.columns;
  let end = select(0u, params.columns, r < params.rows);
  let m = means[min(r, params.rows - 1u)];
  let s = rstds[min(r, params.rows - 1u)];

  var sum = Number();
  var dots = Number();
  var open_count = Number();
  for (var c = lane; c < end; c += LANES) {
    let g = kept(c, dy[at + c] * w[c]);
    sum += g;
    dots += g * kept(c, (x[at + c] - m) * s);
    if (GATED) {
      open_count += kept(c, Number(1.0));
    }
  }
  let sums = sum_over_lanes(vec3f(total(sum), total(dots), total(open_count)), local);
  let count = select(params.channels, max(sums.z, 1.0), GATED);

  for (var c = lane; c < end; c += LANES) {
    let normed = (x[at + c] - m) * s;
    // Rounded as in the sum: multiplying by `one` keeps the compiler from fusing it with the subtraction.
    let g = dy[at + c] * w[c] * params.one;
    dx[at + c] = kept(c, s * (g - sums.x / count - normed * (sums.y / count)));
  }
}

@compute @workgroup_size(64)
fn weights(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = workgroup_number(workgroup, workgroups) * 64u + local;
  let block = number / params.columns;
  let c = number % params.columns;
  let end = min((block + 1u) * BLOCK, params.rows);
  if (block * BLOCK >= end) {
    return;
  }
  var dots = Number();
  var sum = Number();
  for (var r = block * BLOCK; r < end; r++) {
    let at = r * params.columns + c;
    let d = dy[at];
    dots += d * ((x[at] - means[r]) * rstds[r]);
    sum += d;
  }
  let to = (params.first + block) * params.columns + c;
  dw[to] = kept(c, dots);
  db[to] = kept(c, sum);
}
