// y[b, t, c] = x[b, t, c] for t < lengths[b], 0 for later frames.
// dx is dy with the same mask.
// Entry point `forward` writes `y`; the pullback runs it on dy.

struct Params {
  n: u32, // Numbers of a window of x and y
  first: u32, // index of the first
  columns: u32, // Numbers of a frame
  frames: u32, // T
}

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<storage, read> lengths: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<Number>;
@group(0) @binding(3) var<uniform> params: Params;

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
  let frame = (params.first + i) / params.columns;
  if (frame % params.frames < lengths[frame / params.frames]) {
    y[i] = x[i];
  } else {
    y[i] = Number();
  }
}
