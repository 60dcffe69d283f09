// GEMM for GPUs, C[z] = A[z]·B[z]: tiles staged in workgroup memory, read from the operands' buffers.
//
// A workgroup computes a tile of C. It walks along K in K-tiles: while it multiplies one, the next is on its way from memory to
// registers (double buffering, if BUFFERS is 2). Each invocation computes BLOCKS_M × BLOCKS_N blocks of 4×4, in strips of four
// rows. With slice-K, a workgroup has two groups of invocations: each computes the whole tile from its half of every K-tile,
// and at the end each adds the sums of one of the two strips.
//
// `tile_kernel.ts` preprocesses this text; `preprocess.ts` explains the directives.
//
// K has two indices, (k1, k2). The element of A at row m is row y, column x of the image (z1, z2, k1), with
//   A_ALONG_K:  y = y0 + m·step + k1·tap + z2·z2_step,  x = k2
//   otherwise:  y = y0 + k2·step + k1·tap + z2·z2_step,  x = m
// Rows outside the image are zero. B is alike with n for m. A and B also name the types of the operands' elements, f32 or f16;
// they are loaded as type Loaded, and staged and summed as f32. Split-K writes partial sums, without an epilogue.

struct Params {
  m: u32, // rows of C
  n: u32, // columns of C
  k1: u32, // outer extent of K
  k2: u32, // inner extent of K
  z: u32, // items of both batch indices
  z2: u32, // extent of the inner batch index
  splits: u32, // split-K: partial sums of an element
  split_k: u32, // K of a split, a multiple of BUFFERS·TILE_K
  a_base: i32, // address of A's first image, before the binding if its first rows are not read
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
  c_base: u32, // addresses of c, pre and residual, in `Number`s, like those of bias and gate
  c_z1: u32,
  c_z2: u32,
  c_row: u32,
  c_split: u32, // address stride of the splits
  bias_base: u32,
  bias_z2: u32,
  gate_base: u32,
  gate_z2: u32,
}

// Shape of a tile.
const INVOCATIONS_M = ${INVOCATIONS_M}u; // invocations of a group along m
const INVOCATIONS_N = ${INVOCATIONS_N}u; // and along n
const BLOCKS_M = ${BLOCKS_M}u; // 4×4 blocks of an invocation along m
const BLOCKS_N = ${BLOCKS_N}u; // and along n
const SLICE_K = ${SLICE_K}u; // groups of invocations that share a K-tile
const BUFFERS = ${BUFFERS}u; // K-tiles in workgroup memory
const GROUP_K = ${GROUP_K}u; // K of a group's share of a K-tile

// How the operands are read.
const A_ALONG_K = ${A_ALONG_K}; // whether the rows of its images run along k
const B_ALONG_K = ${B_ALONG_K};
const TAPS = ${TAPS}; // whether k1 is more than one

const GROUP = INVOCATIONS_M * INVOCATIONS_N; // invocations of a group
const INVOCATIONS = GROUP * SLICE_K;
const TILE_K = SLICE_K * GROUP_K; // K of a K-tile
const A_PLACES = INVOCATIONS_M; // a staged line has so many vec4s in each of so many blocks
const A_BLOCKS = BLOCKS_M;
const B_PLACES = INVOCATIONS_N;
const B_BLOCKS = BLOCKS_N;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<A>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<B>>;

// Where an element is.
struct Place {
  image: i32, // address of the image
  y: i32, // its row, which may be outside the image
  x: u32,
  inside: bool, // whether the element is not zero
}

// Sums of four rows: of four columns and of the four columns of the next block.
struct Strip {
  left: mat4x4f,
  right: mat4x4f,
}

//#if SLICE_K > 1
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

// Adds another invocation's sums of the strip that this one keeps, and sends it the strip that it keeps, through the memory of
// the staged tiles. Blocks are sent transposed: values that are stored side by side need registers side by side, and the
// compiler would move the sums there in every K-tile.
fn exchange(kept: Strip, sent: Strip, invocation: u32, other: u32) -> Strip {
  workgroupBarrier();
  send_a(invocation, transpose(sent.left));
  send_b(invocation, transpose(sent.right));
  workgroupBarrier();
  return Strip(kept.left + transpose(receive_a(other)), kept.right + transpose(receive_b(other)));
}

//#end
// Writes a Number, if it is inside C.
fn finish_number(item: u32, base: u32, m: u32, n: u32, sum: Number) {
  if (m < params.m && n < params.n) {
    finish(base + m * params.c_row + n / WIDTH, n / WIDTH, item, sum);
  }
}

fn finish_vec4(item: u32, base: u32, m: u32, n: u32, sums: vec4f) {
  finish_number(item, base, m, n, first_number(sums));
  //#if WIDTH == 1
  finish_number(item, base, m, n + 1u, first_number(sums.yzwx));
  finish_number(item, base, m, n + 2u, first_number(sums.zwxy));
  finish_number(item, base, m, n + 3u, first_number(sums.wxyz));
  //#end
}

fn finish_block(item: u32, base: u32, m: u32, n: u32, block: mat4x4f) {
  finish_vec4(item, base, m, n, block[0]);
  finish_vec4(item, base, m + 1u, n, block[1]);
  finish_vec4(item, base, m + 2u, n, block[2]);
  finish_vec4(item, base, m + 3u, n, block[3]);
}

fn finish_strip(item: u32, base: u32, m: u32, n: u32, strip: Strip) {
  finish_block(item, base, m, n, strip.left);
  //#if BLOCKS_N > 1
  finish_block(item, base, m, n + 4u * INVOCATIONS_N, strip.right);
  //#end
}

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let invocation = index % INVOCATIONS; // the same value, with a bound that compilers know
  let local = index % GROUP;
  let group = index / GROUP % SLICE_K;
  let across = (params.n + 4u * B_WIDTH - 1u) / (4u * B_WIDTH);
  let down = (params.m + 4u * A_WIDTH - 1u) / (4u * A_WIDTH);
  let number = workgroup_number(workgroup, workgroups);
  let tile = number % (across * down);
  let split = number / (across * down) % params.splits;
  let z = number / (across * down) / params.splits;
  let z1 = z / params.z2;
  let z2 = z % params.z2;
  let m0 = tile / across * 4u * A_WIDTH;
  let n0 = tile % across * 4u * B_WIDTH;
  let k_start = split * params.split_k;
  let k_end = min(k_start + params.split_k, params.k1 * params.k2);
  if (z >= params.z) {
    return; // the whole workgroup
  }

  // Position of the invocation's blocks. 32 neighbours have 4×8 places, in an order in which two neighbours, or every second
  // pair, read the same vec4 of a staged line: so a bank of workgroup memory serves half of them at once.
  let warp = local / 32u;
  let tm = 4u * (warp / (INVOCATIONS_N / 8u)) + local % 32u / 16u * 2u + local % 2u;
  let tn = 8u * (warp % (INVOCATIONS_N / 8u)) + local / 2u % 8u;
  //#for r in 0..BLOCKS_M
  var c${r} = Strip();
  //#end

  // The loop ends at its head and has no branches: otherwise drivers move the sums to other registers in every K-tile. What is
  // loaded past the last K-tile is never staged. Loads come after the barrier: before it, staging would wait for them too.
  var k0 = k_start;
  var a_at = first_address_a(invocation, m0, k0, z1, z2);
  var b_at = first_address_b(invocation, n0, k0, z1, z2);
  var next_a = load_a(a_at, invocation, m0, k0, k_end, z1, z2);
  var next_b = load_b(b_at, invocation, n0, k0, k_end, z1, z2);
  while (k0 < k_end) {
    //#for stage in 0..STAGES
    //#if UNROLL_BUFFERS
    {
      const buffer = ${stage}u;
    //#else
    for (var buffer = 0u; buffer < BUFFERS; buffer++) {
    //#end
      //#if BUFFERS == 1
      workgroupBarrier();
      //#end
      stage_a(buffer, invocation, next_a);
      stage_b(buffer, invocation, next_b);
      workgroupBarrier();
      k0 += TILE_K;
      a_at += address_step_a();
      b_at += address_step_b();
      next_a = load_a(a_at, invocation, m0, k0, k_end, z1, z2);
      next_b = load_b(b_at, invocation, n0, k0, k_end, z1, z2);
      //#for k in 0..GROUP_K step 4
      {
        let left = block_of_b(buffer, group, ${k}u, 0u, tn);
        //#if BLOCKS_N > 1
        let right = block_of_b(buffer, group, ${k}u, 1u, tn);
        //#end
        //#for r in 0..BLOCKS_M
        let rows${r} = block_of_a(buffer, group, ${k}u, ${r}u, tm);
        //#end
        ${MULTIPLY_ADDS}
      }
      //#end
    }
    //#end
  }
  let base = params.c_base + split * params.c_split + z1 * params.c_z1 + z2 * params.c_z2;
  let m = m0 + (tm + group * INVOCATIONS_M) * 4u;
  let n = n0 + tn * 4u;
  //#if SLICE_K > 1
  let second = group > 0u;
  let kept = select_strip(c0, c1, second);
  let sent = select_strip(c1, c0, second);
  finish_strip(z2, base, m, n, exchange(kept, sent, invocation, invocation ^ GROUP));
  //#else
  //#for r in 0..BLOCKS_M
  finish_strip(z2, base, m + ${r}u * 4u * INVOCATIONS_M, n, c${r});
  //#end
  //#end
}
