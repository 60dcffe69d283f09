// y_i is element i of a random stream, uniform in [0, 1). Entry point `main` writes `y`, four elements per invocation.

struct Params {
  n: u32, // elements of y
  first: u32, // block of four random numbers that y starts with
  seed: u32,
  purpose: u32, // hash of the stream's purpose
  step: u32,
}

@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let block = workgroup_number(workgroup, workgroups) * 256u + local;
  let u = uniforms(params.first + block, params.step, vec2u(params.seed, params.purpose));
  for (var word = 0u; word < 4u; word++) {
    let i = block * 4u + word;
    if (i < params.n) {
      y[i] = u[word];
    }
  }
}
