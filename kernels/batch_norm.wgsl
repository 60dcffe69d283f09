// y[r, c] = (x[r, c] − mean[c])/√(variance[c] + eps); weight and bias are applied by gate and add.
// dx[r, c] = dy[r, c]/√(variance[c] + eps); mean and variance are constants.
// Entry point `forward` writes `y`; the pullback runs it on dy without the mean.

struct Params {
  n: u32, // Numbers of a window of x and y
  first: u32, // index of the first
  columns: u32, // Numbers of mean and variance
  eps: f32,
}

override CENTRED: bool = true; // whether the mean is subtracted

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<storage, read> mean: array<Number>;
@group(0) @binding(2) var<storage, read> variance: array<Number>;
@group(0) @binding(3) var<storage, read_write> y: array<Number>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(256)
fn forward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 256u + local;
  if (i >= params.n) {
    return;
  }
  let c = (params.first + i) % params.columns;
  var centred = x[i];
  if (CENTRED) {
    centred -= mean[c];
  }
  y[i] = centred / sqrt(variance[c] + params.eps);
}
