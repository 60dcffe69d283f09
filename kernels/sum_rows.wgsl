// y[c] = Σ_r x[r, c], by reduce_rows.
// dx[r, c] = dy[c].
// Entry point `backward` writes `dx`; the sum is computed by reduce_frames.wgsl.

struct Params {
  n: u32, // Numbers of a window of dx
  first: u32, // index of the first
  columns: u32, // Numbers of a row
}

@group(0) @binding(0) var<storage, read> dy: array<Number>;
@group(0) @binding(1) var<storage, read_write> dx: array<Number>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(256)
fn backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 256u + local;
  if (i < params.n) {
    dx[i] = dy[(params.first + i) % params.columns];
  }
}
