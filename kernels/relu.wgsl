// y = max(x, 0).
// dx = dy where x > 0, else 0.
// Entry point `forward` writes `y`, `backward` writes `dx`.

struct Params {
  n: u32, // Numbers of x
}

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<storage, read_write> y: array<Number>;
@group(0) @binding(2) var<storage, read> dy: array<Number>;
@group(0) @binding(3) var<storage, read_write> dx: array<Number>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(256)
fn forward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 256u + local;
  if (i < params.n) {
    y[i] = max(x[i], Number(0));
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
    dx[i] = select(Number(0), dy[i], x[i] > Number(0));
  }
}
