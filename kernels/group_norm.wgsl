// y[b, t, c] = (x[b, t, c] − m)·s·w[c] + b[c], with m the mean of channel c over the T frames of item b and
// s = 1/√(variance + eps), biased; both come from reduce_frames, the variance from centred numbers.
// With x̂ = (x − m)·s, and Σ dy and Σ dy·(x − m) over the frames from reduce_frames:
//   dx = w·s·(dy − Σ dy/T − x̂·s·Σ dy·(x − m)/T),  dw[c] = Σ_b s·Σ dy·(x − m),  db[c] = Σ_b Σ dy.
// With lengths, all of that is over the item's own frames, and y is 0 beyond them.
// Entry point `forward` writes `y`, `backward` writes `dx`.

struct Params {
  n: u32, // Numbers of a window of x
  first: u32, // the first of them
  columns: u32, // Numbers of a frame
  frames: u32, // of an item, padding included
  count: f32, // what `sums` and `dots` are to be divided by: T, or 1 where they are means already
}

override LENGTHS: bool = false;

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<storage, read> mean: array<Number>; // [B, C], as all that follow but w and b
@group(0) @binding(2) var<storage, read> rstd: array<Number>;
@group(0) @binding(3) var<storage, read> w: array<Number>;
@group(0) @binding(4) var<storage, read> b: array<Number>;
@group(0) @binding(5) var<storage, read_write> y: array<Number>;
@group(0) @binding(6) var<storage, read> dy: array<Number>;
@group(0) @binding(7) var<storage, read> sums: array<Number>; // Σ dy
@group(0) @binding(8) var<storage, read> dots: array<Number>; // Σ dy·(x − m)
@group(0) @binding(9) var<storage, read_write> dx: array<Number>;
@group(0) @binding(10) var<storage, read> lengths: array<u32>;
@group(0) @binding(11) var<uniform> params: Params;

/// Place of a number's channel in w and b, and in [B, C].
fn places(i: u32) -> vec2u {
  let at = params.first + i;
  let c = at % params.columns;
  return vec2u(c, at / (params.columns * params.frames) * params.columns + c);
}

@compute @workgroup_size(256)
fn forward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 256u + local;
  if (i < params.n) {
    let at = places(i);
    var value = (x[i] - mean[at.y]) * rstd[at.y] * w[at.x] + b[at.x];
    if (LENGTHS) {
      let frame = (params.first + i) / params.columns;
      value = select(Number(), value, frame % params.frames < lengths[frame / params.frames]);
    }
    y[i] = value;
  }
}

@compute @workgroup_size(256)
fn backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 256u + local;
  if (i < params.n) {
    let at = places(i);
    let s = rstd[at.y];
    let turned = (x[i] - mean[at.y]) * s * s * dots[at.y];
    dx[i] = w[at.x] * s * (dy[i] - (sums[at.y] + turned) / params.count);
  }
}
