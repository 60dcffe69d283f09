// y_i = s·x_i where u_i ≥ p, 0 elsewhere, with u_i element i of a random stream and s = 1/(1 − p).
// dx_i = s·dy_i where u_i ≥ p: the stream is drawn again.
// Entry point `forward` writes `y`, four elements per invocation; the pullback runs it on dy.

struct Params {
  n: u32, // elements of a window of x and y
  first: u32, // block of four random numbers that it starts with
  p: f32, // share to drop
  s: f32,
  seed: u32,
  purpose: u32, // hash of the stream's purpose
  step: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let block = workgroup_number(workgroup, workgroups) * 64u + local;
  let u = uniforms(params.first + block, params.step, vec2u(params.seed, params.purpose));
  for (var word = 0u; word < 4u; word++) {
    let i = block * 4u + word;
    if (i < params.n) {
      y[i] = select(0.0, params.s * x[i], u[word] >= params.p);
    }
  }
}
