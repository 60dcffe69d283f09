// C[z] = A[z]·B[z] by tiles staged in workgroup memory: the product for GPUs, straight from the operands' buffers.
// Every invocation computes blocks of 4×4, one to four of them, as ROW_BLOCKS and COLUMN_BLOCKS say; while it multiplies
// one slice of the reduction, the next is on its way from memory to its registers. Where a workgroup has several groups
// of invocations, each computes the whole tile from slices of its own, and all share in adding up their sums.
//
// `gemm_tile.ts` puts the tile's shape before this text as constants: DOWN and ACROSS, the invocations of a group along m
// and along n, the two numbers of blocks, GROUPS, and DEPTH, the terms of a slice.
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
override A_INSIDE: bool = false; // whether none is outside the image or past the last term
override B_INSIDE: bool = false;
override TAPS: bool = false; // whether k1 is more than one

const INVOCATIONS = DOWN * ACROSS; // of a group
const A_WIDTH = DOWN * ROW_BLOCKS; // fours of a staged line: a term of the reduction, all rows
const B_WIDTH = ACROSS * COLUMN_BLOCKS;
const A_STAGERS = A_WIDTH * DEPTH / 4u; // invocations of a group that stage A, 4×4 numbers each; up to half of them
const B_STAGERS = B_WIDTH * DEPTH / 4u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<A>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<B>>;

// [group][term][row / 4], and alike. Lines of which the index is a constant cost no arithmetic to find.
var<workgroup> a_tile: array<array<array<vec4f, A_WIDTH>, DEPTH>, GROUPS>;
var<workgroup> b_tile: array<array<array<vec4f, B_WIDTH>, DEPTH>, GROUPS>;

// Where an element lies.
struct Place {
  image: i32, // address of the image
  y: i32, // its row, perhaps outside
  x: u32,
  inside: bool, // whether the element is not zero
}

// Where a line of term k keeps its four of number `four`: turned about, so that neighbours who stage other terms of the
// same rows, as when rows lie along k, write to other banks, eight of them.
fn slot(k: u32, four: u32) -> u32 {
  return four ^ (k / 4u * (32u / DEPTH));
}

// A block and the outer product of four rows and four columns.
fn add_outer(block: mat4x4f, rows: vec4f, columns: vec4f) -> mat4x4f {
  return mat4x4f(
    fma(vec4f(rows.x), columns, block[0]),
    fma(vec4f(rows.y), columns, block[1]),
    fma(vec4f(rows.z), columns, block[2]),
    fma(vec4f(rows.w), columns, block[3]),
  );
}

// The group that adds up and writes block `i` of an invocation's four.
fn adder(i: u32) -> u32 {
  return i * GROUPS / 4u;
}

// Block `i` with what the other groups have of it, in the group that adds it up. They pass it on where slices were staged.
fn add_groups(block: mat4x4f, i: u32, group: u32, local: u32) -> mat4x4f {
  workgroupBarrier();
  if (group != adder(i)) {
    let place = (group - select(0u, 1u, group > adder(i))) * 2u * INVOCATIONS + local;
    pass_on_a(place, block[0]);
    pass_on_a(place + INVOCATIONS, block[1]);
    pass_on_b(place, block[2]);
    pass_on_b(place + INVOCATIONS, block[3]);
  }
  workgroupBarrier();
  var sum = block;
  if (group == adder(i)) {
    for (var place = local; place < (GROUPS - 1u) * 2u * INVOCATIONS; place += 2u * INVOCATIONS) {
      sum += mat4x4f(passed_a(place), passed_a(place + INVOCATIONS), passed_b(place), passed_b(place + INVOCATIONS));
    }
  }
  return sum;
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

  // Position of what this invocation stages: neighbours take what lies side by side. Those that stage B are not those that
  // stage A, so that the same registers do.
  let other = (local + INVOCATIONS / 2u) % INVOCATIONS;
  let a_four = select(local % A_WIDTH, local / (DEPTH / 4u), A_ALONG_K);
  let a_k = select(local / A_WIDTH, local % (DEPTH / 4u), A_ALONG_K) * 4u;
  let b_four = select(other % B_WIDTH, other / (DEPTH / 4u), B_ALONG_K);
  let b_k = select(other / B_WIDTH, other % (DEPTH / 4u), B_ALONG_K) * 4u;
  let a_stages = local < A_STAGERS;
  let b_stages = other < B_STAGERS;

  // Position of its blocks. Thirty-two neighbours have 4×8 places, in an order in which, of each staged line, two next to
  // each other or two next but one read the same: so a bank serves half of them at once.
  let warp = local / 32u;
  let tm = 4u * (warp / (ACROSS / 8u)) + local % 32u / 16u * 2u + local % 2u;
  let tn = 8u * (warp % (ACROSS / 8u)) + local / 2u % 8u;
  var c00 = mat4x4f();
  var c01 = mat4x4f();
  var c10 = mat4x4f();
  var c11 = mat4x4f();
  var next = mat4x4<Next>();
  let own = group * DEPTH;
  var k0 = k_start; // of all groups, so that all agree when to end
  if (a_stages) {
    next = load_a(m0 + 4u * a_four, k0 + own + a_k, k_end, z1, z2);
  } else if (b_stages) {
    next = load_b(n0 + 4u * b_four, k0 + own + b_k, k_end, z1, z2);
  }
  loop {
    if (a_stages) {
      stage_a(group, a_k, a_four, next);
    } else if (b_stages) {
      stage_b(group, b_k, b_four, next);
    }
    workgroupBarrier();
    k0 += GROUPS * DEPTH;
    if (k0 < k_end) {
      if (a_stages) {
        next = load_a(m0 + 4u * a_four, k0 + own + a_k, k_end, z1, z2);
      } else if (b_stages) {
        next = load_b(n0 + 4u * b_four, k0 + own + b_k, k_end, z1, z2);
      }
    }
    for (var k = 0u; k < DEPTH; k++) { // written out
      let rows = a_tile[group][k][slot(k, tm)];
      let columns = b_tile[group][k][slot(k, tn)];
      c00 = add_outer(c00, rows, columns);
      if (ROW_BLOCKS > 1u) {
        c10 = add_outer(c10, a_tile[group][k][slot(k, tm + DOWN)], columns);
      }
      if (COLUMN_BLOCKS > 1u) {
        let others = b_tile[group][k][slot(k, tn + ACROSS)];
        c01 = add_outer(c01, rows, others);
        if (ROW_BLOCKS > 1u) {
          c11 = add_outer(c11, a_tile[group][k][slot(k, tm + DOWN)], others);
        }
      }
    } // written out
    if (k0 >= k_end) {
      break;
    }
    workgroupBarrier();
  }
  if (GROUPS > 1u) {
    c00 = add_groups(c00, 0u, group, local);
    c01 = add_groups(c01, 1u, group, local);
    c10 = add_groups(c10, 2u, group, local);
    c11 = add_groups(c11, 3u, group, local);
  }
  let place = params.c_base + part * params.c_part + z1 * params.c_z1 + z2 * params.c_z2;
  let m = m0 + tm * 4u;
  let n = n0 + tn * 4u;
  if (group == adder(0u)) {
    finish_block(z2, place, m, n, c00);
  }
  if (COLUMN_BLOCKS > 1u && group == adder(1u)) {
    finish_block(z2, place, m, n + 4u * ACROSS, c01);
  }
  if (ROW_BLOCKS > 1u && group == adder(2u)) {
    finish_block(z2, place, m + 4u * DOWN, n, c10);
  }
  if (ROW_BLOCKS > 1u && COLUMN_BLOCKS > 1u && group == adder(3u)) {
    finish_block(z2, place, m + 4u * DOWN, n + 4u * ACROSS, c11);
  }
}
