// y = Σ x_i, in passes: y_j = Σ_k x[k·m + j] for each of the m elements that a pass leaves, at most 64 terms each, so that
// neighbouring invocations read neighbouring elements, no loop is long and the rounding error grows with the logarithm of n.
// dx_i = dy.
// Entry point `forward` computes one pass and writes `y`; `backward` writes `dx`.

struct Params {
  n: u32, // elements of x or dx
  m: u32, // elements of y to write
  first: u32, // index of the first
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
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
  let j = workgroup_number(workgroup, workgroups) * 64u + local;
  if (j >= params.m) {
    return;
  }
  var total = 0.0;
  for (var i = j; i < params.n; i += params.m) {
    total += x[i];
  }
  y[params.first + j] = total;
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
