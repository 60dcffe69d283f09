// Moves a product from scratch to its place: for element (z1, z2, m, n), the sum of its parts, with what follows it.
// Addresses and columns are in `Number`s. An invocation does CHUNK `Number`s of a row: where its lanes run one after another,
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

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> product: array<Number>;

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
    finish(c_row + n, n, z2, sum_of_parts(row * params.product_row + n));
  }
}

// Of the element whose first part is at `place`.
fn sum_of_parts(place: u32) -> Number {
  var sum = product[place];
  for (var part = 1u; part < params.parts; part++) {
    sum += product[place + part * params.product_part];
  }
  return sum;
}
