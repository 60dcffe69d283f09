// g = a·(b·c_h − 1) + 2, with a = σ(u_0 + … + u_3), b = σ(u_4 + … + u_7) and h the head of the row.
// du_0 … du_3 = dg·(b·c_h − 1)·a·(1 − a),  du_4 … du_7 = dg·a·c_h·b·(1 − b),  dc_h = Σ dg·a·b over the rows of h.
// Entry point `forward` writes `g`; `backward` writes `du`; `factors` writes `ab` = a·b, from which reduce_rows computes dc.

struct Params {
  n: u32, // rows of a window, one per gate
  first: u32, // index of the first
  heads: u32,
}

@group(0) @binding(0) var<storage, read> u: array<vec4f>; // two for each gate
@group(0) @binding(1) var<storage, read> c: array<f32>;
@group(0) @binding(2) var<storage, read_write> g: array<f32>;
@group(0) @binding(3) var<storage, read> dg: array<f32>;
@group(0) @binding(4) var<storage, read_write> du: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> ab: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

/// a and b of a row.
fn sigmoids(i: u32) -> vec2f {
  let sums = vec2f(dot(u[2u * i], vec4f(1.0)), dot(u[2u * i + 1u], vec4f(1.0)));
  return 1.0 / (1.0 + exp(-sums));
}

@compute @workgroup_size(256)
fn forward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 256u + local;
  if (i < params.n) {
    let s = sigmoids(i);
    g[i] = s.x * (s.y * c[(params.first + i) % params.heads] - 1.0) + 2.0;
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
    let s = sigmoids(i);
    let scale = c[(params.first + i) % params.heads];
    let slope = dg[i] * s * (1.0 - s);
    du[2u * i] = vec4f(slope.x * (s.y * scale - 1.0));
    du[2u * i + 1u] = vec4f(slope.y * s.x * scale);
  }
}

@compute @workgroup_size(256)
fn factors(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 256u + local;
  if (i < params.n) {
    let s = sigmoids(i);
    ab[i] = s.x * s.y;
  }
}
