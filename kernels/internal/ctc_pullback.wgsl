// dx_i = dx_i·dy_b, b the clip of element i: the slopes of the losses times those of what follows. Writes `dx`.

struct Params {
  n: u32, // elements of dx
  first: u32, // place of the first in the whole tensor
  clip: u32, // elements of a clip
  each: u32, // 1 if dy has a number for each clip, 0 if one for all
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 256u + local;
  if (i < params.n) {
    dx[i] *= dy[(params.first + i) / params.clip * params.each];
  }
}
