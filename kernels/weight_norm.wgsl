// w[:, k, :] = g[k]·v[:, k, :]/‖v[:, k, :]‖₂, the norm over output and input channels for each tap k.
// With n_k the norm and s_k = Σ dw·v over tap k:
//   dg[k] = s_k/n_k,  dv = g[k]/n_k·(dw − v·s_k/n_k²).
// Entry point `taps` adds the sums of the columns of a tap and writes `total`; `forward` writes `w`; `backward` writes `dv`;
// `backward_g` writes `dg`.

struct Params {
  n: u32, // elements of v, or taps
  taps: u32,
  width: u32, // input channels of a group
}

@group(0) @binding(0) var<storage, read> v: array<f32>;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read> squares: array<f32>; // Σ v² of each tap
@group(0) @binding(3) var<storage, read> dots: array<f32>; // Σ dw·v of each tap
@group(0) @binding(4) var<storage, read> dw: array<f32>;
@group(0) @binding(5) var<storage, read_write> w: array<f32>;
@group(0) @binding(6) var<storage, read_write> dv: array<f32>;
@group(0) @binding(7) var<storage, read_write> dg: array<f32>;
@group(0) @binding(8) var<storage, read> columns: array<f32>; // [taps, width]
@group(0) @binding(9) var<storage, read_write> total: array<f32>;
@group(0) @binding(10) var<uniform> params: Params;

@compute @workgroup_size(64)
fn taps(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.n) {
    return;
  }
  var sum = 0.0;
  for (var i = 0u; i < params.width; i++) {
    sum += columns[id.x * params.width + i];
  }
  total[id.x] = sum;
}

@compute @workgroup_size(256)
fn forward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 256u + local;
  if (i < params.n) {
    let k = i / params.width % params.taps;
    w[i] = v[i] * (g[k] / sqrt(squares[k]));
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
    let k = i / params.width % params.taps;
    dv[i] = g[k] / sqrt(squares[k]) * (dw[i] - v[i] * (dots[k] / squares[k]));
  }
}

@compute @workgroup_size(64)
fn backward_g(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.n) {
    dg[id.x] = dots[id.x] / sqrt(squares[id.x]);
  }
}
