// y[b, c] = Σ_t x[b, t, c]/n over the n = lengths[b] valid frames of item b, 0 if n is 0; by reduce_frames.
// dx[b, t, c] = dy[b, c]/n for t < n, 0 for later frames.
// Entry point `backward` writes `dx`; the mean is computed by reduce_frames.wgsl.

struct Params {
  n: u32, // Numbers of a window of dx
  first: u32, // index of the first
  columns: u32, // Numbers of a frame
  frames: u32, // T
}

override LENGTHS: bool = false;

@group(0) @binding(0) var<storage, read> dy: array<Number>;
@group(0) @binding(1) var<storage, read> lengths: array<u32>;
@group(0) @binding(2) var<storage, read_write> dx: array<Number>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(256)
fn backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 256u + local;
  if (i >= params.n) {
    return;
  }
  let frame = (params.first + i) / params.columns;
  let item = frame / params.frames;
  var length = params.frames;
  if (LENGTHS) {
    length = lengths[item];
  }
  if (frame % params.frames < length) {
    dx[i] = dy[item * params.columns + (params.first + i) % params.columns] / f32(length);
  } else {
    dx[i] = Number();
  }
}
