// Moves a product from scratch to its place, with what follows it. For element (z1, z2, m, n):
//   u = Σ_parts product (+ c) (+ bias);  c = u, or gelu(u) · gate (+ residual), with u kept in `pre` if asked.
// Writes `c`, in which a Number is a `Stored`, of f32 or f16, and `pre` at the same addresses. Addresses and columns are in
// `Number`s, but for those of `item_gate`. An invocation does CHUNK `Number`s of a row: where its lanes run one after another,
// to find the row takes longer than to do one.

struct Params {
  m: u32, // rows
  n: u32, // columns
  z: u32, // items of both batch indices
  z2: u32, // extent of the inner batch index
  parts: u32, // of the product, to be summed
  product_part: u32, // address strides of a part and of a row
  product_row: u32,
  c_base: u32, // addresses of c, pre and residual
  c_z1: u32,
  c_z2: u32,
  c_row: u32,
  bias_base: u32,
  bias_z2: u32,
  gate_base: u32,
  gate_z2: u32,
}

override CHUNK: u32 = 1u;
override ACCUMULATE: bool = false;
override BIAS: bool = false;
override PRE: bool = false;
override GELU: bool = false;
override GATE: bool = false; // per column
override ITEM_GATE: bool = false;
override RESIDUAL: bool = false;

@group(0) @binding(0) var<storage, read> product: array<Number>;
@group(0) @binding(1) var<storage, read_write> c: array<Stored>;
@group(0) @binding(2) var<storage, read> bias: array<Number>;
@group(0) @binding(3) var<storage, read_write> pre: array<Number>;
@group(0) @binding(4) var<storage, read> gate: array<Number>;
@group(0) @binding(5) var<storage, read> residual: array<Number>;
@group(0) @binding(6) var<storage, read> item_gate: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = workgroup_number(workgroup, workgroups) * 64u + local;
  let chunks = (params.n + CHUNK - 1u) / CHUNK;
  let row = number / chunks;
  let z = row / params.m;
  if (z >= params.z) {
    return;
  }
  let m = row - z * params.m;
  let z1 = z / params.z2;
  let z2 = z - z1 * params.z2;
  let c_row = params.c_base + z1 * params.c_z1 + z2 * params.c_z2 + m * params.c_row;
  let first = (number - row * chunks) * CHUNK;
  let end = min(first + CHUNK, params.n);
  for (var n = first; n < end; n++) {
    finish(row * params.product_row + n, c_row + n, n, z2);
  }
}

// The element of column n at `at` of c, whose first part is at `place` of the product.
fn finish(place: u32, at: u32, n: u32, z2: u32) {
  var u = product[place];
  for (var part = 1u; part < params.parts; part++) {
    u += product[place + part * params.product_part];
  }
  if (ACCUMULATE) {
    u += Number(c[at]);
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
    u *= gate[params.gate_base + z2 * params.gate_z2 + n];
  }
  if (ITEM_GATE) {
    u *= item_gate[params.gate_base + z2 * params.gate_z2];
  }
  if (RESIDUAL) {
    u += residual[at];
  }
  c[at] = Stored(u);
}
