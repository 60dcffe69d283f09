// C[z] = A[z]·B[z], tiles of 64×64 staged through workgroup memory, 4×4 per invocation: the product for GPUs,
// straight from the operands' buffers, with the epilogue inside.
//
// The reduction index is (k1, k2). The element of A at row m is image row y, column x, with
//   A_ALONG_K:  y = y0 + m·step + k1·tap + z2·z2_step,  x = k2
//   otherwise:  y = y0 + k2·step + k1·tap + z2·z2_step,  x = m
// of the image (z1, z2, k1); rows outside the image are zero. B is alike with n for m. For element (z1, z2, m, n):
//   u = product (+ c) (+ bias);  c = u, or gelu(u) · gate (+ residual), with u kept in `pre` if asked.
// Writes `c`, and `pre` at the same addresses.

struct Params {
  m: u32, // rows of C
  n: u32, // columns of C
  k1: u32, // outer extent of the reduction
  k2: u32, // inner extent of the reduction
  z: u32, // items of both batch indices
  z2: u32, // extent of the inner batch index
  a_base: i32, // address of A's first image, perhaps before the binding where its first rows are not read
  a_z1: u32, // address strides of its images
  a_z2: u32,
  a_k1: u32,
  a_row: u32, // address stride of an image row
  a_height: i32, // rows of an image
  a_y0: i32,
  a_step: i32,
  a_tap: i32,
  a_z2_step: i32,
  b_base: i32,
  b_z1: u32,
  b_z2: u32,
  b_k1: u32,
  b_row: u32,
  b_height: i32,
  b_y0: i32,
  b_step: i32,
  b_tap: i32,
  b_z2_step: i32,
  c_base: u32, // addresses of c, pre and residual
  c_z1: u32,
  c_z2: u32,
  c_row: u32,
  bias_base: u32,
  bias_z2: u32,
  gate_base: u32,
  gate_z2: u32,
  gate_n: u32, // 1 for a gate per column, 0 for one per item
}

override A_ALONG_K: bool = true;
override B_ALONG_K: bool = false;
override TAPS: bool = false; // whether k1 is more than one
override ACCUMULATE: bool = false;
override BIAS: bool = false;
override PRE: bool = false;
override GELU: bool = false;
override GATE: bool = false;
override RESIDUAL: bool = false;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> pre: array<f32>;
@group(0) @binding(5) var<storage, read> gate: array<f32>;
@group(0) @binding(6) var<storage, read> residual: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

const TILE = 64u; // rows and columns of a tile
const DEPTH = 16u; // terms of the reduction staged at a time

var<workgroup> a_tile: array<vec4f, 256>; // [DEPTH][TILE / 4]
var<workgroup> b_tile: array<vec4f, 256>;

fn load_a(m: u32, k: u32, z1: u32, z2: u32) -> f32 {
  var k1 = 0u;
  var k2 = k;
  if (TAPS) {
    k1 = k / params.k2;
    k2 = k % params.k2;
  }
  let along = select(k2, m, A_ALONG_K);
  let y = params.a_y0 + i32(along) * params.a_step + i32(k1) * params.a_tap + i32(z2) * params.a_z2_step;
  if (m >= params.m || k1 >= params.k1 || k2 >= params.k2 || y < 0 || y >= params.a_height) {
    return 0.0;
  }
  let x = select(m, k2, A_ALONG_K);
  return a[bitcast<u32>(params.a_base) + z1 * params.a_z1 + z2 * params.a_z2 + k1 * params.a_k1 + u32(y) * params.a_row + x];
}

fn load_b(n: u32, k: u32, z1: u32, z2: u32) -> f32 {
  var k1 = 0u;
  var k2 = k;
  if (TAPS) {
    k1 = k / params.k2;
    k2 = k % params.k2;
  }
  let along = select(k2, n, B_ALONG_K);
  let y = params.b_y0 + i32(along) * params.b_step + i32(k1) * params.b_tap + i32(z2) * params.b_z2_step;
  if (n >= params.n || k1 >= params.k1 || k2 >= params.k2 || y < 0 || y >= params.b_height) {
    return 0.0;
  }
  let x = select(n, k2, B_ALONG_K);
  return b[bitcast<u32>(params.b_base) + z1 * params.b_z1 + z2 * params.b_z2 + k1 * params.b_k1 + u32(y) * params.b_row + x];
}

// Writes one element with its epilogue.
fn finish(z1: u32, z2: u32, m: u32, n: u32, sum: f32) {
  if (m >= params.m || n >= params.n) {
    return;
  }
  let at = params.c_base + z1 * params.c_z1 + z2 * params.c_z2 + m * params.c_row + n;
  var u = sum;
  if (ACCUMULATE) {
    u += c[at];
  }
  if (BIAS) {
    u += bias[params.bias_base + z2 * params.bias_z2 + n];
  }
  if (PRE) {
    pre[at] = u;
  }
  if (GELU) {
    u = gelu(u);
  }
  if (GATE) {
    u *= gate[params.gate_base + z2 * params.gate_z2 + n * params.gate_n];
  }
  if (RESIDUAL) {
    u += residual[at];
  }
  c[at] = u;
}

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let across = (params.n + TILE - 1u) / TILE;
  let down = (params.m + TILE - 1u) / TILE;
  let number = workgroup_number(workgroup, workgroups);
  let z = number / (across * down);
  let tile = number % (across * down);
  let z1 = z / params.z2;
  let z2 = z % params.z2;
  let m0 = tile / across * TILE;
  let n0 = tile % across * TILE;
  let k_end = params.k1 * params.k2;
  let inside = z < params.z; // uniform in the workgroup

  // Position of the four numbers that this invocation stages: along k, 4 lanes take the 16 terms of a row.
  let a_m = select(local % 16u * 4u, local / 4u, A_ALONG_K);
  let a_k = select(local / 16u, local % 4u * 4u, A_ALONG_K);
  let b_n = select(local % 16u * 4u, local / 4u, B_ALONG_K);
  let b_k = select(local / 16u, local % 4u * 4u, B_ALONG_K);

  let tm = local / 16u;
  let tn = local % 16u;
  var c0 = vec4f();
  var c1 = vec4f();
  var c2 = vec4f();
  var c3 = vec4f();
  for (var k0 = 0u; k0 < k_end; k0 += DEPTH) {
    // The loads are loops since SwiftShader takes minutes to compile them written out for both operands.
    if (inside) {
      if (A_ALONG_K) {
        for (var i = 0u; i < 4u; i++) {
          a_tile[(a_k + i) * 16u + a_m / 4u][a_m % 4u] = load_a(m0 + a_m, k0 + a_k + i, z1, z2);
        }
      } else {
        var four = vec4f();
        for (var i = 0u; i < 4u; i++) {
          four[i] = load_a(m0 + a_m + i, k0 + a_k, z1, z2);
        }
        a_tile[a_k * 16u + a_m / 4u] = four;
      }
      if (B_ALONG_K) {
        for (var i = 0u; i < 4u; i++) {
          b_tile[(b_k + i) * 16u + b_n / 4u][b_n % 4u] = load_b(n0 + b_n, k0 + b_k + i, z1, z2);
        }
      } else {
        var four = vec4f();
        for (var i = 0u; i < 4u; i++) {
          four[i] = load_b(n0 + b_n + i, k0 + b_k, z1, z2);
        }
        b_tile[b_k * 16u + b_n / 4u] = four;
      }
    }
    workgroupBarrier();
    for (var k = 0u; k < DEPTH; k++) {
      let av = a_tile[k * 16u + tm];
      let bv = b_tile[k * 16u + tn];
      c0 = fma(vec4f(av.x), bv, c0);
      c1 = fma(vec4f(av.y), bv, c1);
      c2 = fma(vec4f(av.z), bv, c2);
      c3 = fma(vec4f(av.w), bv, c3);
    }
    workgroupBarrier();
  }
  if (inside) {
    let m = m0 + tm * 4u;
    let n = n0 + tn * 4u;
    for (var i = 0u; i < 4u; i++) {
      finish(z1, z2, m, n + i, c0[i]);
      finish(z1, z2, m + 1u, n + i, c1[i]);
      finish(z1, z2, m + 2u, n + i, c2[i]);
      finish(z1, z2, m + 3u, n + i, c3[i]);
    }
  }
}
