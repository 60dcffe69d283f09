// C[z] = A[z]·B[z] with both operands in textures, four numbers a texel, and register tiles of 16×16 (entry
// point `large`) or 8×8 (`small`) per invocation: the product for adapters that load texels faster than buffers.
//
// The reduction index is (k1, k2). A texel of A holds four k2 of a row m (A_ALONG_K) or four m of a row k2; a
// texel of B four k2 of a row n (B_ALONG_K) or four n of a row k2. Textures are read as lines of texels, with an
// address that is linear in all indices:
//   base + z1·z1_step + z2·z2_step + k1·k1_step + i·step + j/4,  i the index that does not run along the texels;
// its low COLUMN_BITS are the column in the texture. Rows that an image does not have count as zero (A_EDGES,
// B_EDGES), and so does what k2 reads past its range (REST). Numbers of A, B and C are of the types of these names, f32 or
// f16; sums are f32. Writes `c`, four columns at a time.

struct Params {
  m: u32, // rows of C
  n: u32, // columns of C, of which the last four may be partly padding
  k1: u32, // outer extent of the reduction
  k2: u32, // inner extent of the reduction
  z: u32, // items of both batch indices
  parts: u32, // parts of the reduction, each summed by invocations of its own
  part_k1: u32, // extents of a part
  part_k2: u32,
  z2: u32, // extent of the inner batch index
  a_base: i32, // addresses of A
  a_z1: i32,
  a_z2: i32,
  a_k1: i32,
  a_step: i32,
  a_height: u32, // rows of an image of A
  a_y0: i32, // image row of the first index, and rows per step
  a_y_z2: i32,
  a_y_k1: i32,
  a_y_step: i32,
  b_base: i32,
  b_z1: i32,
  b_z2: i32,
  b_k1: i32,
  b_step: i32,
  b_height: u32,
  b_y0: i32,
  b_y_z2: i32,
  b_y_k1: i32,
  b_y_step: i32,
  c_base: u32, // addresses of C, in vec4
  c_part: u32,
  c_z1: u32,
  c_z2: u32,
  c_row: u32,
}

override A_ALONG_K: bool = true;
override B_ALONG_K: bool = false;
override A_EDGES: bool = false;
override B_EDGES: bool = false;
override REST: bool = false;
override COLUMN_BITS: u32 = 10;

@group(0) @binding(0) var a: texture_storage_2d<A_TEXEL, read>;
@group(0) @binding(1) var b: texture_storage_2d<B_TEXEL, read>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4<C>>;
@group(0) @binding(3) var<uniform> params: Params;

// A row of an image: the address of its first texel, and its number.
struct Row {
  at: i32,
  y: i32,
}

fn place(at: i32) -> vec2i {
  return vec2i(at & ((1 << COLUMN_BITS) - 1), at >> COLUMN_BITS);
}

fn texel_a(row: Row) -> vec4f {
  let texel = textureLoad(a, place(row.at));
  return select(texel, vec4f(), A_EDGES && u32(row.y) >= params.a_height);
}

fn texel_b(row: Row) -> vec4f {
  let texel = textureLoad(b, place(row.at));
  return select(texel, vec4f(), B_EDGES && u32(row.y) >= params.b_height);
}

// Texel `x` of four rows from `i` on.
fn rows_a(row: Row, i: u32, x: u32) -> mat4x4f {
  let at = row.at + i32(i) * params.a_step + i32(x);
  let y = row.y + i32(i) * params.a_y_step;
  return mat4x4f(
    texel_a(Row(at, y)),
    texel_a(Row(at + params.a_step, y + params.a_y_step)),
    texel_a(Row(at + 2 * params.a_step, y + 2 * params.a_y_step)),
    texel_a(Row(at + 3 * params.a_step, y + 3 * params.a_y_step)),
  );
}

fn rows_b(row: Row, i: u32, x: u32) -> mat4x4f {
  let at = row.at + i32(i) * params.b_step + i32(x);
  let y = row.y + i32(i) * params.b_y_step;
  return mat4x4f(
    texel_b(Row(at, y)),
    texel_b(Row(at + params.b_step, y + params.b_y_step)),
    texel_b(Row(at + 2 * params.b_step, y + 2 * params.b_y_step)),
    texel_b(Row(at + 3 * params.b_step, y + 3 * params.b_y_step)),
  );
}

// Four rows m (the matrix's columns) of four k2 each.
fn load_a(row: Row, m: u32, k: u32) -> mat4x4f {
  var block: mat4x4f;
  if (A_ALONG_K) {
    block = rows_a(row, m, k >> 2u);
  } else {
    block = transpose(rows_a(row, k, m >> 2u));
  }
  if (REST) {
    let past = vec4u(k, k + 1u, k + 2u, k + 3u) >= vec4u(params.k2);
    block[0] = select(block[0], vec4f(), past);
    block[1] = select(block[1], vec4f(), past);
    block[2] = select(block[2], vec4f(), past);
    block[3] = select(block[3], vec4f(), past);
  }
  return block;
}

// Four k2 (the matrix's columns) of four columns n each.
fn load_b(row: Row, n: u32, k: u32) -> mat4x4f {
  var block: mat4x4f;
  if (B_ALONG_K) {
    block = transpose(rows_b(row, n, k >> 2u));
  } else {
    block = rows_b(row, k, n >> 2u);
  }
  if (REST) {
    block[1] = select(block[1], vec4f(), k + 1u >= params.k2);
    block[2] = select(block[2], vec4f(), k + 2u >= params.k2);
    block[3] = select(block[3], vec4f(), k + 3u >= params.k2);
  }
  return block;
}

fn row_times(sum: vec4f, a: vec4f, b: mat4x4f) -> vec4f {
  return fma(vec4f(a.w), b[3], fma(vec4f(a.z), b[2], fma(vec4f(a.y), b[1], fma(vec4f(a.x), b[0], sum))));
}

// sum + a·b, where column i of `sum` and `a` is row i of the tile.
fn add_product(sum: mat4x4f, a: mat4x4f, b: mat4x4f) -> mat4x4f {
  return mat4x4f(
    row_times(sum[0], a[0], b),
    row_times(sum[1], a[1], b),
    row_times(sum[2], a[2], b),
    row_times(sum[3], a[3], b),
  );
}

// Stores a 4×4 block whose first row is `m` and whose columns start at `n`.
fn store(base: u32, m: u32, n: u32, block: mat4x4f) {
  if (n >= params.n) {
    return;
  }
  let at = base + m * params.c_row + (n >> 2u);
  if (m < params.m) {
    c[at] = vec4<C>(block[0]);
  }
  if (m + 1u < params.m) {
    c[at + params.c_row] = vec4<C>(block[1]);
  }
  if (m + 2u < params.m) {
    c[at + 2u * params.c_row] = vec4<C>(block[2]);
  }
  if (m + 3u < params.m) {
    c[at + 3u * params.c_row] = vec4<C>(block[3]);
  }
}

// What an invocation computes: a tile of C from a part of the reduction.
struct Tile {
  inside: bool, // whether there is such a tile
  m: u32, // first row
  n: u32, // first column
  k1: vec2u, // first outer index of the part, and one past the last
  k2: vec2u,
  a: Row, // rows of index (k1, 0)
  b: Row,
  c: u32, // address of the item's C
}

// Tile `number` of size `extent`. Tiles go down columns of eight tiles' width, whose part of B stays in the cache
// meanwhile.
fn locate(number: u32, extent: u32) -> Tile {
  let across = (params.n + extent - 1u) / extent;
  let down = (params.m + extent - 1u) / extent;
  let item = number / (across * down);
  let tile = number % (across * down);
  let column = tile / (8u * down);
  let width = min(8u, across - column * 8u);
  let inside = tile - column * 8u * down;
  let part = item / params.z;
  let z1 = item % params.z / params.z2;
  let z2 = item % params.z % params.z2;
  let parts_k2 = (params.k2 + params.part_k2 - 1u) / params.part_k2;
  let k1 = part / parts_k2 * params.part_k1;
  let k2 = part % parts_k2 * params.part_k2;
  return Tile(
    part < params.parts,
    inside / width * extent,
    (column * 8u + inside % width) * extent,
    vec2u(k1, min(k1 + params.part_k1, params.k1)),
    vec2u(k2, min(k2 + params.part_k2, params.k2)),
    Row(
      params.a_base + i32(z1) * params.a_z1 + i32(z2) * params.a_z2 + i32(k1) * params.a_k1,
      params.a_y0 + i32(z2) * params.a_y_z2 + i32(k1) * params.a_y_k1,
    ),
    Row(
      params.b_base + i32(z1) * params.b_z1 + i32(z2) * params.b_z2 + i32(k1) * params.b_k1,
      params.b_y0 + i32(z2) * params.b_y_z2 + i32(k1) * params.b_y_k1,
    ),
    params.c_base + part * params.c_part + z1 * params.c_z1 + z2 * params.c_z2,
  );
}

@compute @workgroup_size(8)
fn large(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let tile = locate(workgroup_number(workgroup, workgroups) * 8u + local, 16u);
  if (!tile.inside) {
    return;
  }
  let m = tile.m;
  let n = tile.n;
  var ra = tile.a;
  var rb = tile.b;
  var c00 = mat4x4f();
  var c01 = mat4x4f();
  var c02 = mat4x4f();
  var c03 = mat4x4f();
  var c10 = mat4x4f();
  var c11 = mat4x4f();
  var c12 = mat4x4f();
  var c13 = mat4x4f();
  var c20 = mat4x4f();
  var c21 = mat4x4f();
  var c22 = mat4x4f();
  var c23 = mat4x4f();
  var c30 = mat4x4f();
  var c31 = mat4x4f();
  var c32 = mat4x4f();
  var c33 = mat4x4f();
  for (var k1 = tile.k1.x; k1 < tile.k1.y; k1++) {
    for (var k2 = tile.k2.x; k2 < tile.k2.y; k2 += 4u) {
      let b0 = load_b(rb, n, k2);
      let b1 = load_b(rb, n + 4u, k2);
      let b2 = load_b(rb, n + 8u, k2);
      let b3 = load_b(rb, n + 12u, k2);
      let a0 = load_a(ra, m, k2);
      c00 = add_product(c00, a0, b0);
      c01 = add_product(c01, a0, b1);
      c02 = add_product(c02, a0, b2);
      c03 = add_product(c03, a0, b3);
      let a1 = load_a(ra, m + 4u, k2);
      c10 = add_product(c10, a1, b0);
      c11 = add_product(c11, a1, b1);
      c12 = add_product(c12, a1, b2);
      c13 = add_product(c13, a1, b3);
      let a2 = load_a(ra, m + 8u, k2);
      c20 = add_product(c20, a2, b0);
      c21 = add_product(c21, a2, b1);
      c22 = add_product(c22, a2, b2);
      c23 = add_product(c23, a2, b3);
      let a3 = load_a(ra, m + 12u, k2);
      c30 = add_product(c30, a3, b0);
      c31 = add_product(c31, a3, b1);
      c32 = add_product(c32, a3, b2);
      c33 = add_product(c33, a3, b3);
    }
    ra = Row(ra.at + params.a_k1, ra.y + params.a_y_k1);
    rb = Row(rb.at + params.b_k1, rb.y + params.b_y_k1);
  }
  store(tile.c, m, n, c00);
  store(tile.c, m, n + 4u, c01);
  store(tile.c, m, n + 8u, c02);
  store(tile.c, m, n + 12u, c03);
  store(tile.c, m + 4u, n, c10);
  store(tile.c, m + 4u, n + 4u, c11);
  store(tile.c, m + 4u, n + 8u, c12);
  store(tile.c, m + 4u, n + 12u, c13);
  store(tile.c, m + 8u, n, c20);
  store(tile.c, m + 8u, n + 4u, c21);
  store(tile.c, m + 8u, n + 8u, c22);
  store(tile.c, m + 8u, n + 12u, c23);
  store(tile.c, m + 12u, n, c30);
  store(tile.c, m + 12u, n + 4u, c31);
  store(tile.c, m + 12u, n + 8u, c32);
  store(tile.c, m + 12u, n + 12u, c33);
}

@compute @workgroup_size(8)
fn small(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let tile = locate(workgroup_number(workgroup, workgroups) * 8u + local, 8u);
  if (!tile.inside) {
    return;
  }
  let m = tile.m;
  let n = tile.n;
  var ra = tile.a;
  var rb = tile.b;
  var c00 = mat4x4f();
  var c01 = mat4x4f();
  var c10 = mat4x4f();
  var c11 = mat4x4f();
  for (var k1 = tile.k1.x; k1 < tile.k1.y; k1++) {
    for (var k2 = tile.k2.x; k2 < tile.k2.y; k2 += 4u) {
      let b0 = load_b(rb, n, k2);
      let b1 = load_b(rb, n + 4u, k2);
      let a0 = load_a(ra, m, k2);
      let a1 = load_a(ra, m + 4u, k2);
      c00 = add_product(c00, a0, b0);
      c01 = add_product(c01, a0, b1);
      c10 = add_product(c10, a1, b0);
      c11 = add_product(c11, a1, b1);
    }
    ra = Row(ra.at + params.a_k1, ra.y + params.a_y_k1);
    rb = Row(rb.at + params.b_k1, rb.y + params.b_y_k1);
  }
  store(tile.c, m, n, c00);
  store(tile.c, m, n + 4u, c01);
  store(tile.c, m + 4u, n, c10);
  store(tile.c, m + 4u, n + 4u, c11);
}
