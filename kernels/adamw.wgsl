// One step of Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019) on flat arrays:
// g = factor·dw, m = β1·m + (1 − β1)·g, v = β2·v + (1 − β2)·g²,
// w = decay·w − rate·m / (spread·√v + eps); rate and spread contain the bias corrections.
// Nothing changes if factor is 0. Entry point `main` updates `w`, `m` and `v`.

struct Params {
  n: u32, // Numbers of each array
  decay: f32, // 1 − learning rate·weight decay
  rate: f32, // learning rate / (1 − β1^step); below 0 to ascend
  spread: f32, // 1 / √(1 − β2^step)
  eps: f32,
  beta1: f32,
  beta2: f32,
  rest1: f32, // 1 − β1, computed in f64 on the host: in f32 the subtraction would lose digits
  rest2: f32, // 1 − β2
}

@group(0) @binding(0) var<storage, read_write> w: array<Number>;
@group(0) @binding(1) var<storage, read> dw: array<Number>;
@group(0) @binding(2) var<storage, read_write> m: array<Number>;
@group(0) @binding(3) var<storage, read_write> v: array<Number>;
@group(0) @binding(4) var<storage, read> factor: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let scale = factor[0]; // before any branch, where compilers of software adapters see that all invocations load the same
  let i = workgroup_number(workgroup, workgroups) * 256u + local;
  if (i >= params.n || scale == 0.0) {
    return;
  }
  let g = scale * dw[i];
  let mean = params.beta1 * m[i] + params.rest1 * g;
  let square = params.beta2 * v[i] + params.rest2 * (g * g);
  m[i] = mean;
  v[i] = square;
  w[i] = params.decay * w[i] - params.rate * mean / (params.spread * sqrt(square) + params.eps);
}
