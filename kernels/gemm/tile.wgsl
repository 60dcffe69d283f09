// C[z] = A[z]·B[z] by tiles staged in workgroup memory: the product for GPUs, straight from the operands' buffers.
// Every invocation computes strips of four rows by eight columns, or a block of 4×4; while it multiplies one slice of the
// reduction, the next is on its way from memory to its registers. Where a workgroup has two groups of invocations, each
// computes the whole tile from a half of the slice's terms, and in the end adds up the sums of one of the two strips.
//
// `gemm_tile_text.ts` puts the tile's shape before this text as constants: DOWN and ACROSS, the invocations of a group along m
// and along n, ROW_BLOCKS and COLUMN_BLOCKS, the blocks of 4×4 of an invocation, GROUPS, SLICES, in memory at a time, and
// DEPTH, the terms of a slice for each group. It writes out the loops over slices and their terms, and the multiply–adds, and
// blanks the branches that constants rule out.
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
  part_k: u32, // terms of a part, a multiple of SLICES·TERMS
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

const GROUP = DOWN * ACROSS; // invocations of a group
const INVOCATIONS = GROUP * GROUPS;
const TERMS = GROUPS * DEPTH; // of a slice
const A_PLACES = DOWN; // fours of a line of four terms or rows, in each of so many blocks
const A_BLOCKS = ROW_BLOCKS;
const B_PLACES = ACROSS;
const B_BLOCKS = COLUMN_BLOCKS;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<A>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<B>>;

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

// `select` of blocks and of strips.
fn select_block(no: mat4x4f, yes: mat4x4f, condition: bool) -> mat4x4f {
  return mat4x4f(
    select(no[0], yes[0], condition),
    select(no[1], yes[1], condition),
    select(no[2], yes[2], condition),
    select(no[3], yes[3], condition),
  );
}

fn select_strip(no: Strip, yes: Strip, condition: bool) -> Strip {
  return Strip(select_block(no.left, yes.left, condition), select_block(no.right, yes.right, condition));
}

// A strip and what another invocation has of it, in exchange for a strip of that one's, over the memory that slices were staged
// in. It is passed on turned: numbers that are written side by side want registers side by side, which they would be moved to in
// every slice.
fn exchange(kept: Strip, given: Strip, invocation: u32, other: u32) -> Strip {
  workgroupBarrier();
  pass_on_a(invocation, transpose(given.left));
  pass_on_b(invocation, transpose(given.right));
  workgroupBarrier();
  return Strip(kept.left + transpose(passed_a(other)), kept.right + transpose(passed_b(other)));
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

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let invocation = index % INVOCATIONS; // the same, but with bits that compilers know
  let local = index % GROUP;
  let group = index / GROUP % GROUPS;
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
  // the last slice is staged no more. Loads come after the barrier: before it, they would be among those that staging waits for.
  var k0 = k_start;
  var a_at = first_in_a(invocation, m0, k0, z1, z2);
  var b_at = first_in_b(invocation, n0, k0, z1, z2);
  var next_a = load_a(a_at, invocation, m0, k0, k_end, z1, z2);
  var next_b = load_b(b_at, invocation, n0, k0, k_end, z1, z2);
  while (k0 < k_end) {
    for (var slice = 0u; slice < SLICES; slice++) {
      if (SLICES == 1u) {
        workgroupBarrier();
      }
      stage_a(slice, invocation, next_a);
      stage_b(slice, invocation, next_b);
      workgroupBarrier();
      k0 += TERMS;
      a_at += step_of_a();
      b_at += step_of_b();
      next_a = load_a(a_at, invocation, m0, k0, k_end, z1, z2);
      next_b = load_b(b_at, invocation, n0, k0, k_end, z1, z2);
      for (var k = 0u; k < DEPTH; k += 4u) {
        let left = block_of_b(slice, group, k, 0u, tn);
        var right = mat4x4f();
        if (COLUMN_BLOCKS > 1u) {
          right = block_of_b(slice, group, k, 1u, tn);
        }
        let rows0 = block_of_a(slice, group, k, 0u, tm);
        var rows1 = mat4x4f();
        if (ROW_BLOCKS > 1u) {
          rows1 = block_of_a(slice, group, k, 1u, tm);
        }
        var rows2 = mat4x4f();
        var rows3 = mat4x4f();
        if (ROW_BLOCKS > 2u) {
          rows2 = block_of_a(slice, group, k, 2u, tm);
          rows3 = block_of_a(slice, group, k, 3u, tm);
        }
        // Kernels without groups add up terms in their order, so that all of them come to the same bits.
        if (GROUPS > 1u && A_ALONG_K && !B_ALONG_K) {
          // multiply–adds, terms back and forth
        } else {
          // multiply–adds, terms in order
        }
      } // of k
    } // of slice
  }
  if (GROUPS > 1u) {
    let second = group > 0u;
    let kept = select_strip(c0, c1, second);
    let given = select_strip(c1, c0, second);
    c0 = exchange(kept, given, invocation, invocation ^ GROUP);
  }
  let place = params.c_base + part * params.c_part + z1 * params.c_z1 + z2 * params.c_z2;
  let m = m0 + (tm + group * DOWN) * 4u;
  let n = n0 + tn * 4u;
  finish_strip(z2, place, m, n, c0);
  if (GROUPS == 1u && ROW_BLOCKS > 1u) {
    finish_strip(z2, place, m + 4u * DOWN, n, c1);
  }
  if (GROUPS == 1u && ROW_BLOCKS > 2u) {
    finish_strip(z2, place, m + 8u * DOWN, n, c2);
    finish_strip(z2, place, m + 12u * DOWN, n, c3);
  }
}
