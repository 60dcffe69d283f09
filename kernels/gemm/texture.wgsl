// GEMM for adapters that load texels faster than buffers, such as software adapters: C[z] = A[z]·B[z], with both operands in
// textures, a vec4 a texel. Each invocation computes a tile of HEIGHT×WIDTH in registers, as TALL×WIDE blocks of 4×4.
// `texture.ts` preprocesses this text (`preprocess.ts`) for 4×4, 4×3 and 2×2 blocks.
//
// Where subgroups have 8 invocations, a workgroup can be a subgroup that computes DOWN×ACROSS neighbouring tiles, 4×2 or 2×4, whose
// invocations share loads (SHARED). For four k, a tile needs four texels of A for each block, and so do the tiles beside it: the
// invocations of a line divide them, and get the others by shuffles. Those of a column share the texels of B in the same way. The sums
// are the same, bit for bit. If not SHARED, DOWN and ACROSS are 1 and tiles are numbered one by one.
//
// K has two indices, (k1, k2). A texel of A holds four k2 of a row m (A_ALONG_K) or four m of a row k2; a texel of B four k2 of
// a row n (B_ALONG_K) or four n of a row k2. Texels have an address that is linear in all indices:
//   base + z1·z1_step + z2·z2_step + k1·k1_step + i·step + j/4,  where i is the index that does not run along the texels;
// its low COLUMN_BITS are the column in the texture, the others the row. Rows outside an image are zero (A_EDGES, B_EDGES), and
// so are elements past the end of k2 (K2_EDGE, unless packing made them zero in A and B). A, B and C also name the types of the elements, f32 or
// f16; sums are f32.
// Writes `c`, four columns at a time.

struct Params {
  m: u32, // rows of C
  n: u32, // columns of C; the last vec4 of a row may be partly padding
  k1: u32, // outer extent of K
  k2: u32, // inner extent of K
  z: u32, // items of both batch indices
  splits: u32, // split-K: partial sums of an element
  split_k1: u32, // extents of a split
  split_k2: u32,
  z2: u32, // extent of the inner batch index
  a_base: i32, // addresses of A, in texels
  a_z1: i32,
  a_z2: i32,
  a_k1: i32,
  a_step: i32,
  a_height: u32, // rows of an image of A
  a_y0: i32, // image row of the first index, and rows from one index to the next
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
  c_base: u32, // addresses of C, in vec4s
  c_split: u32,
  c_z1: u32,
  c_z2: u32,
  c_row: u32,
  tall: u32, // TALL, but not known to the compiler, which would unroll the loop of stores
  has_bias: u32, // 1 if a bias is added
  has_residual: u32, // 1 if a residual is added, at the addresses of C
  bias_base: u32, // addresses of the bias, in vec4s
  bias_z2: u32,
}

override A_ALONG_K: bool = true;
override B_ALONG_K: bool = false;
override A_EDGES: bool = false;
override B_EDGES: bool = false;
override K2_EDGE: bool = false;
override COLUMN_BITS: u32 = 10;

const HEIGHT = 4u * ${TALL}u; // rows of a tile
const WIDTH = 4u * ${WIDE}u; // columns of a tile
const DOWN = ${DOWN}u; // tiles of a workgroup that is a subgroup, along m and along n
const ACROSS = ${ACROSS}u;
const COLUMN = 8u / ACROSS; // groups of tiles in a column, see `locate`

@group(0) @binding(0) var a: texture_storage_2d<A_TEXEL, read>;
@group(0) @binding(1) var b: texture_storage_2d<B_TEXEL, read>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4<C>>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<storage, read> bias: array<vec4f>;
@group(0) @binding(5) var<storage, read> residual: array<vec4f>;

// A row of an image: the address of its first texel, and its index.
struct Row {
  at: i32,
  y: i32,
}

fn coordinates(at: i32) -> vec2i {
  return vec2i(at & ((1 << COLUMN_BITS) - 1), at >> COLUMN_BITS);
}

fn texel_a(row: Row) -> vec4f {
  let texel = textureLoad(a, coordinates(row.at));
  return select(texel, vec4f(), A_EDGES && u32(row.y) >= params.a_height);
}

fn texel_b(row: Row) -> vec4f {
  let texel = textureLoad(b, coordinates(row.at));
  return select(texel, vec4f(), B_EDGES && u32(row.y) >= params.b_height);
}

// Where texel `texel` (0 to 3) of the block that begins at (m, k) is.
fn first_a(row: Row, m: u32, k: u32, texel: u32) -> Row {
  let i = i32(select(k, m, A_ALONG_K) + texel);
  let x = i32(select(m, k, A_ALONG_K) >> 2u);
  return Row(row.at + i * params.a_step + x, row.y + i * params.a_y_step);
}

fn first_b(row: Row, n: u32, k: u32, texel: u32) -> Row {
  let i = i32(select(k, n, B_ALONG_K) + texel);
  let x = i32(select(n, k, B_ALONG_K) >> 2u);
  return Row(row.at + i * params.b_step + x, row.y + i * params.b_y_step);
}

// The texel i rows after `first`.
fn further_a(first: Row, i: i32) -> vec4f {
  return texel_a(Row(first.at + i * params.a_step, first.y + i * params.a_y_step));
}

fn further_b(first: Row, i: i32) -> vec4f {
  return texel_b(Row(first.at + i * params.b_step, first.y + i * params.b_y_step));
}

//#if SHARED
// The four texels of a block, each loaded by one of four invocations: `first`, `first` + `stride`, and so on.
fn shared_by_four(texel: vec4f, first: u32, stride: u32) -> mat4x4f {
  return mat4x4f(
    subgroupShuffle(texel, first),
    subgroupShuffle(texel, first + stride),
    subgroupShuffle(texel, first + 2u * stride),
    subgroupShuffle(texel, first + 3u * stride),
  );
}

// The four texels of a block, of which each of two invocations loaded every other one.
fn shared_by_two(lower: vec4f, higher: vec4f, first: u32, stride: u32) -> mat4x4f {
  return mat4x4f(
    subgroupShuffle(lower, first),
    subgroupShuffle(lower, first + stride),
    subgroupShuffle(higher, first),
    subgroupShuffle(higher, first + stride),
  );
}

//#else
// The four texels of a block, whose first one is at `first`.
fn texels_a(first: Row) -> mat4x4f {
  return mat4x4f(further_a(first, 0), further_a(first, 1), further_a(first, 2), further_a(first, 3));
}

fn texels_b(first: Row) -> mat4x4f {
  return mat4x4f(further_b(first, 0), further_b(first, 1), further_b(first, 2), further_b(first, 3));
}

//#end
// Four rows m (the matrix's columns) of four k2 each, from the four texels of a block.
fn block_of_a(texels: mat4x4f, k: u32) -> mat4x4f {
  var block = texels;
  if (!A_ALONG_K) {
    block = transpose(texels);
  }
  if (K2_EDGE) {
    let past = vec4u(k, k + 1u, k + 2u, k + 3u) >= vec4u(params.k2);
    block[0] = select(block[0], vec4f(), past);
    block[1] = select(block[1], vec4f(), past);
    block[2] = select(block[2], vec4f(), past);
    block[3] = select(block[3], vec4f(), past);
  }
  return block;
}

// Four k2 (the matrix's columns) of four columns n each, from the four texels of a block.
fn block_of_b(texels: mat4x4f, k: u32) -> mat4x4f {
  var block = texels;
  if (B_ALONG_K) {
    block = transpose(texels);
  }
  if (K2_EDGE) {
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
fn multiply_add(sum: mat4x4f, a: mat4x4f, b: mat4x4f) -> mat4x4f {
  return mat4x4f(
    row_times(sum[0], a[0], b),
    row_times(sum[1], a[1], b),
    row_times(sum[2], a[2], b),
    row_times(sum[3], a[3], b),
  );
}

// Stores a row of a block with the epilogue, if it is inside C.
fn store_row(at: u32, m: u32, sum: vec4f, shift: vec4f) {
  if (m < params.m) {
    var u = select(sum, sum + shift, params.has_bias == 1u);
    if (params.has_residual == 1u) {
      u += residual[at];
    }
    c[at] = vec4<C>(u);
  }
}

// Stores a 4×4 block, if it is inside C. m is its first row, n its first column.
fn store(base: u32, m: u32, n: u32, block: mat4x4f, shift: vec4f) {
  if (n >= params.n) {
    return;
  }
  let at = base + m * params.c_row + (n >> 2u);
  store_row(at, m, block[0], shift);
  store_row(at + params.c_row, m + 1u, block[1], shift);
  store_row(at + 2u * params.c_row, m + 2u, block[2], shift);
  store_row(at + 3u * params.c_row, m + 3u, block[3], shift);
}

// Four columns of the bias, from column n on; undefined without one.
fn bias_at(at: u32, n: u32) -> vec4f {
  var shift = vec4f();
  if (params.has_bias == 1u && n < params.n) {
    shift = bias[at + (n >> 2u)];
  }
  return shift;
}

// What a group of DOWN×ACROSS invocations computes: as many tiles of C, in a split of K. `m` and `n` are those of the first one.
struct Tile {
  inside: bool, // whether there is such a group
  m: u32, // first row
  n: u32, // first column
  k1: vec2u, // first k1 of the split, and one past the last
  k2: vec2u,
  a: Row, // rows of index (k1, 0)
  b: Row,
  c: u32, // address of the item's C in the split
  bias: u32, // address of the item's bias
}

// Group number `number`. Groups go down columns that are eight tiles wide, whose share of B stays in the cache meanwhile.
fn locate(number: u32) -> Tile {
  let across = (params.n + ACROSS * WIDTH - 1u) / (ACROSS * WIDTH);
  let down = (params.m + DOWN * HEIGHT - 1u) / (DOWN * HEIGHT);
  let item = number / (across * down);
  let tile = number % (across * down);
  let column = tile / (COLUMN * down);
  let width = min(COLUMN, across - column * COLUMN);
  let inside = tile - column * COLUMN * down;
  let split = item / params.z;
  let z1 = item % params.z / params.z2;
  let z2 = item % params.z % params.z2;
  let splits_k2 = (params.k2 + params.split_k2 - 1u) / params.split_k2;
  let k1 = split / splits_k2 * params.split_k1;
  let k2 = split % splits_k2 * params.split_k2;
  return Tile(
    split < params.splits,
    inside / width * DOWN * HEIGHT,
    (column * COLUMN + inside % width) * ACROSS * WIDTH,
    vec2u(k1, min(k1 + params.split_k1, params.k1)),
    vec2u(k2, min(k2 + params.split_k2, params.k2)),
    Row(
      params.a_base + i32(z1) * params.a_z1 + i32(z2) * params.a_z2 + i32(k1) * params.a_k1,
      params.a_y0 + i32(z2) * params.a_y_z2 + i32(k1) * params.a_y_k1,
    ),
    Row(
      params.b_base + i32(z1) * params.b_z1 + i32(z2) * params.b_z2 + i32(k1) * params.b_k1,
      params.b_y0 + i32(z2) * params.b_y_z2 + i32(k1) * params.b_y_k1,
    ),
    params.c_base + split * params.c_split + z1 * params.c_z1 + z2 * params.c_z2,
    params.bias_base + z2 * params.bias_z2,
  );
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  //#if SHARED
  @builtin(subgroup_invocation_id) lane: u32,
  //#else
  @builtin(local_invocation_index) local: u32,
  //#end
) {
  let number = workgroup_number(workgroup, workgroups);
  //#if SHARED
  let tile = locate(number);
  //#else
  let tile = locate(number * 8u + local);
  let lane = 0u;
  //#end
  if (!tile.inside) {
    return;
  }
  let column = lane % ACROSS;
  let line = lane / ACROSS;
  let m = tile.m + line * HEIGHT;
  let n = tile.n + column * WIDTH;
  var row_a = tile.a;
  var row_b = tile.b;
  //#for i in 0..TALL
  //#for j in 0..WIDE
  var c${i}${j} = mat4x4f();
  //#end
  //#end
  for (var k1 = tile.k1.x; k1 < tile.k1.y; k1++) {
    for (var k2 = tile.k2.x; k2 < tile.k2.y; k2 += 4u) {
      //#for j in 0..WIDE
      let at_b${j} = first_b(row_b, n + 4u * ${j}u, k2, line);
      //#if DOWN == 4
      let texels_b${j} = shared_by_four(further_b(at_b${j}, 0), column, ACROSS);
      //#end
      //#if DOWN == 2
      let texels_b${j} = shared_by_two(further_b(at_b${j}, 0), further_b(at_b${j}, 2), column, ACROSS);
      //#end
      //#if DOWN == 1
      let texels_b${j} = texels_b(at_b${j});
      //#end
      let b${j} = block_of_b(texels_b${j}, k2);
      //#end
      //#for i in 0..TALL
      let at_a${i} = first_a(row_a, m + 4u * ${i}u, k2, column);
      //#if ACROSS == 4
      let texels_a${i} = shared_by_four(further_a(at_a${i}, 0), line * ACROSS, 1u);
      //#end
      //#if ACROSS == 2
      let texels_a${i} = shared_by_two(further_a(at_a${i}, 0), further_a(at_a${i}, 2), line * ACROSS, 1u);
      //#end
      //#if ACROSS == 1
      let texels_a${i} = texels_a(at_a${i});
      //#end
      let a${i} = block_of_a(texels_a${i}, k2);
      //#for j in 0..WIDE
      c${i}${j} = multiply_add(c${i}${j}, a${i}, b${j});
      //#end
      //#end
    }
    row_a = Row(row_a.at + params.a_k1, row_a.y + params.a_y_k1);
    row_b = Row(row_b.at + params.b_k1, row_b.y + params.b_y_k1);
  }
  //#for j in 0..WIDE
  let shift${j} = bias_at(tile.bias, n + 4u * ${j}u);
  //#end
  var i = 0u;
  loop { // with its test at the end: compilers of software adapters run a `for` once more, with all invocations masked
    //#for j in 0..WIDE
    store(tile.c, m + 4u * i, n + 4u * ${j}u, c0${j}, shift${j});
    //#end
    //#for j in 0..WIDE
    c0${j} = c1${j};
    //#if TALL == 4
    c1${j} = c2${j};
    c2${j} = c3${j};
    //#end
    //#end
    continuing {
      i++;
      break if i >= params.tall;
    }
  }
}
