// y_i = value. Entry point `main` writes `y`.

struct Params {
  n: u32, // length of y
  value: f32,
}

@group(0) @binding(0) var<storage, read_write> y: array<Number>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 256u + local;
  if (i < params.n) {
    y[i] = Number(params.value);
  }
}
