// dx_i = dx_i·dy_b, b the utterance of element i: the gradients of the losses times the gradients of the result.
// Entry point `main` updates `dx`.

struct Params {
  n: u32, // elements of a window of dx
  first: u32, // index of the first in the tensor
  utterance: u32, // elements of an utterance
  each: u32, // 1 if dy has an element for each utterance, 0 if it has one for all
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
    dx[i] *= dy[(params.first + i) / params.utterance * params.each];
  }
}
