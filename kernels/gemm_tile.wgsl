// C[z] = A[z]·B[z] by tiles staged in workgroup memory: the product for GPUs, straight from the operands' buffers.
// Every invocation computes strips of four rows by eight columns, or a block of 4×4; while it multiplies one slice of the
// reduction, the next is on its way from memory to its registers. Where a workgroup has two groups of invocations, each
// computes the whole tile from slices of its own, and the first adds up their sums.
//
// `gemm_tile.ts` puts the tile's shape before this text as constants: DOWN and ACROSS, the invocations of a group along m
// and along n, ROW_BLOCKS and COLUMN_BLOCKS, the blocks of 4×4 of an invocation, GROUPS, SLICES, of each group in memory, and
// DEPTH, the terms of a slice.
//
// The reduction index is (k1, k2). The element of A at row m is image row y, column x, with
//   A_ALONG_K:  y = y0 + m·step + k1·tap + z2·z2_step,  x = k2
//   otherwise:  y = y0 + k2·step + k1·tap + z2·z2_step,  x = m
// of the image (z1, z2, k1); rows outside the image are zero. B is alike with n for m.
// Numbers of A and B are of the types of these names, f32 or f16, on their way of type Next, and staged as f32.
// A reduction in parts writes them one after another, without an epilogue.

struct Params {
  m: u32, // rows of C
  n: u32, // columns of C
  k1: u32, // outer extent of the reduction
  k2: u32, // inner extent of the reduction
  z: u32, // items of both batch indices
  z2: u32, // extent of the inner batch index
  parts: u32, // parts of the reduction
  part_k: u32, // terms of a part, a multiple of GROUPS·DEPTH
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
  c_base: u32, // addresses of c, pre and residual, in Numbers, as those of bias and gate
  c_z1: u32,
  c_z2: u32,
  c_row: u32,
  c_part: u32, // address stride of the parts
  bias_base: u32,
  bias_z2: u32,
  gate_base: u32,
  gate_z2: u32,
}

override A_ALONG_K: bool = true;
override B_ALONG_K: bool = false;
override A_FOURS: bool = false; // whether neighbours start at multiples of four, so that one load brings four
override B_FOURS: bool = false;
override A_DIRECT: bool = false; // whether besides none is outside the image or past the last term, and there is one k1
override B_DIRECT: bool = false;
override TAPS: bool = false; // whether k1 is more than one

const INVOCATIONS = DOWN * ACROSS; // of a group
const A_WIDTH = DOWN * ROW_BLOCKS; // fours of a staged line, all rows of the tile
const B_WIDTH = ACROSS * COLUMN_BLOCKS;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<A>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<B>>;

// [slice][line][four]. Lines of which the index is a constant cost no arithmetic to find.
var<workgroup> a_tile: array<array<array<vec4f, A_WIDTH>, DEPTH>, GROUPS * SLICES>;
var<workgroup> b_tile: array<array<array<vec4f, B_WIDTH>, DEPTH>, GROUPS * SLICES>;

// Where an element lies.
struct Place {
  image: i32, // address of the image
  y: i32, // its row, perhaps outside
  x: u32,
  inside: bool, // whether the element is not zero
}

// Sums of four rows, of four columns and of four others.
struct Strip {
  left: mat4x4f,
  right: mat4x4f,
}

// Adds a term, row by row: eight multiply-adds one after another read the same number of A.
fn add_term(strip: Strip, rows: vec4f, left: vec4f, right: vec4f) -> Strip {
  var sum = strip;
  sum.left[0] = fma(vec4f(rows.x), left, sum.left[0]);
  sum.right[0] = fma(vec4f(rows.x), right, sum.right[0]);
  sum.left[1] = fma(vec4f(rows.y), left, sum.left[1]);
  sum.right[1] = fma(vec4f(rows.y), right, sum.right[1]);
  sum.left[2] = fma(vec4f(rows.z), left, sum.left[2]);
  sum.right[2] = fma(vec4f(rows.z), right, sum.right[2]);
  sum.left[3] = fma(vec4f(rows.w), left, sum.left[3]);
  sum.right[3] = fma(vec4f(rows.w), right, sum.right[3]);
  return sum;
}

// Adds four terms.
fn add_terms(strip: Strip, rows: mat4x4f, left: mat4x4f, right: mat4x4f) -> Strip {
  var sum = add_term(strip, rows[0], left[0], right[0]);
  sum = add_term(sum, rows[1], left[1], right[1]);
  sum = add_term(sum, rows[2], left[2], right[2]);
  return add_term(sum, rows[3], left[3], right[3]);
}

// A block with what the second group has of it, in the first. It is passed on where slices were staged, and turned: numbers
// that are written side by side want registers side by side, which they would be moved to in every slice.
fn add_groups(block: mat4x4f, group: u32, local: u32) -> mat4x4f {
  workgroupBarrier();
  if (group > 0u) {
    let turned = transpose(block);
    pass_on_a(local, turned[0]);
    pass_on_a(local + INVOCATIONS, turned[1]);
    pass_on_b(local, turned[2]);
    pass_on_b(local + INVOCATIONS, turned[3]);
  }
  workgroupBarrier();
  return block + transpose(
    mat4x4f(passed_a(local), passed_a(local + INVOCATIONS), passed_b(local), passed_b(local + INVOCATIONS)),
  );
}

// Writes a Number, if it is one of the product's.
fn finish_number(item: u32, place: u32, m: u32, n: u32, sum: Number) {
  if (m < params.m && n < params.n) {
    finish(place + m * params.c_row + n / WIDTH, n / WIDTH, item, sum);
  }
}

fn finish_four(item: u32, place: u32, m: u32, n: u32, four: vec4f) {
  finish_number(item, place, m, n, first_number(four));
  if (WIDTH == 1u) {
    finish_number(item, place, m, n + 1u, first_number(four.yzwx));
    finish_number(item, place, m, n + 2u, first_number(four.zwxy));
    finish_number(item, place, m, n + 3u, first_number(four.wxyz));
  }
}

fn finish_block(item: u32, place: u32, m: u32, n: u32, block: mat4x4f) {
  finish_four(item, place, m, n, block[0]);
  finish_four(item, place, m + 1u, n, block[1]);
  finish_four(item, place, m + 2u, n, block[2]);
  finish_four(item, place, m + 3u, n, block[3]);
}

fn finish_strip(item: u32, place: u32, m: u32, n: u32, strip: Strip) {
  finish_block(item, place, m, n, strip.left);
  if (COLUMN_BLOCKS > 1u) {
    finish_block(item, place, m, n + 4u * ACROSS, strip.right);
  }
}

@compute @workgroup_size(INVOCATIONS * GROUPS)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) invocation: u32,
) {
  let local = invocation % INVOCATIONS;
  let group = select(0u, invocation / INVOCATIONS, GROUPS > 1u);
  let across = (params.n + 4u * B_WIDTH - 1u) / (4u * B_WIDTH);
  let down = (params.m + 4u * A_WIDTH - 1u) / (4u * A_WIDTH);
  let number = workgroup_number(workgroup, workgroups);
  let tile = number % (across * down);
  let part = number / (across * down) % params.parts;
  let z = number / (across * down) / params.parts;
  let z1 = z / params.z2;
  let z2 = z % params.z2;
  let m0 = tile / across * 4u * A_WIDTH;
  let n0 = tile % across * 4u * B_WIDTH;
  let k_start = part * params.part_k;
  let k_end = min(k_start + params.part_k, params.k1 * params.k2);
  if (z >= params.z) {
    return; // the whole workgroup
  }

  // Position of its blocks. Thirty-two neighbours have 4×8 places, in an order in which, of each staged line, two next to
  // each other or two next but one read the same: so a bank serves half of them at once.
  let warp = local / 32u;
  let tm = 4u * (warp / (ACROSS / 8u)) + local % 32u / 16u * 2u + local % 2u;
  let tn = 8u * (warp % (ACROSS / 8u)) + local / 2u % 8u;
  var c0 = Strip();
  var c1 = Strip();
  var c2 = Strip();
  var c3 = Strip();

  // The loop ends at its head, and has no branches: otherwise drivers move the sums about in every slice. What is loaded past
  // the last slice is staged no more. Loads wait for the barrier, since barriers wait for loads.
  let own = group * DEPTH;
  var k0 = k_start; // of all groups, so that all agree when to end
  var a_at = first_in_a(local, m0, k0 + own, z1, z2);
  var b_at = first_in_b(local, n0, k0 + own, z1, z2);
  var next_a = load_a(a_at, local, m0, k0 + own, k_end, z1, z2);
  var next_b = load_b(b_at, local, n0, k0 + own, k_end, z1, z2);
  var slice = group * SLICES;
  while (k0 < k_end) {
    if (SLICES == 1u) {
      workgroupBarrier();
    }
    stage_a(slice, local, next_a);
    stage_b(slice, local, next_b);
    workgroupBarrier();
    k0 += GROUPS * DEPTH;
    a_at += step_of_a();
    b_at += step_of_b();
    next_a = load_a(a_at, local, m0, k0 + own, k_end, z1, z2);
    next_b = load_b(b_at, local, n0, k0 + own, k_end, z1, z2);
    for (var k = 0u; k < DEPTH; k += 4u) { // written out
      let left = block_of_b(slice, k, tn);
      var right = mat4x4f();
      if (COLUMN_BLOCKS > 1u) {
        right = block_of_b(slice, k, tn + ACROSS);
      }
      c0 = add_terms(c0, block_of_a(slice, k, tm), left, right);
      if (ROW_BLOCKS > 1u) {
        c1 = add_terms(c1, block_of_a(slice, k, tm + DOWN), left, right);
      }
      if (ROW_BLOCKS > 2u) {
        c2 = add_terms(c2, block_of_a(slice, k, tm + 2u * DOWN), left, right);
        c3 = add_terms(c3, block_of_a(slice, k, tm + 3u * DOWN), left, right);
      }
    } // written out
    if (SLICES > 1u) {
      slice ^= 1u;
    }
  }
  if (GROUPS > 1u) {
    c0 = Strip(add_groups(c0.left, group, local), add_groups(c0.right, group, local));
    c1 = Strip(add_groups(c1.left, group, local), add_groups(c1.right, group, local));
  }
  let place = params.c_base + part * params.c_part + z1 * params.c_z1 + z2 * params.c_z2;
  let m = m0 + tm * 4u;
  let n = n0 + tn * 4u;
  if (group > 0u) {
    return;
  }
  finish_strip(z2, place, m, n, c0);
  if (ROW_BLOCKS > 1u) {
    finish_strip(z2, place, m + 4u * DOWN, n, c1);
  }
  if (ROW_BLOCKS > 2u) {
    finish_strip(z2, place, m + 8u * DOWN, n, c2);
    finish_strip(z2, place, m + 12u * DOWN, n, c3);
  }
}
