// y = Σ x_i, in passes, so that no loop is long and the rounding error grows with the logarithm of n. Of the m elements that a
// pass leaves, y_j = Σ_k x[k·m + j], at most TERMS of type `Number`, so that neighbouring invocations read neighbouring elements;
// or, with LANES = 64, a workgroup adds up a block of LANES·TERMS. With SQUARE, each element is squared.
// dx_i = dy.
// Entry point `forward` computes one pass and writes `y`; `backward` writes `dx`.

struct Params {
  n: u32, // Numbers of x, or elements of dx
  m: u32, // elements of y to write
  first: u32, // index of the first
}

const TERMS = 64u;

override SQUARE: bool = false;

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = workgroup_number(workgroup, workgroups) * 64u + local;
  let j = number / LANES;
  var i = number;
  var step = params.m;
  var end = params.n;
  if (LANES > 1u) {
    i = j * LANES * TERMS + local % LANES;
    step = LANES;
    end = min(end, (j + 1u) * LANES * TERMS);
  }
  end = select(0u, end, j < params.m); // beyond the last element, invocations only take part in the barriers
  var sum = Number();
  for (; i < end; i += step) {
    var term = x[i];
    if (SQUARE) {
      term *= term;
    }
    sum += term;
  }
  let all = sum_over_lanes(vec3f(total(sum)), local).x;
  if (j < params.m && local % LANES == 0u) {
    y[params.first + j] = all;
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
    dx[i] = dy[0];
  }
}
