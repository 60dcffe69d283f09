// C[z] = A[z]·B[z] by tiles staged in workgroup memory: the product for GPUs, straight from the operands' buffers.
// Every invocation computes blocks of 4×4, one to four of them, as ROW_BLOCKS and COLUMN_BLOCKS say; while it multiplies
// one slice of the reduction, the next is on its way from memory into the other half of the staging.
//
// The reduction index is (k1, k2). The element of A at row m is image row y, column x, with
//   A_ALONG_K:  y = y0 + m·step + k1·tap + z2·z2_step,  x = k2
//   otherwise:  y = y0 + k2·step + k1·tap + z2·z2_step,  x = m
// of the image (z1, z2, k1); rows outside the image are zero. B is alike with n for m. For element (z1, z2, m, n):
//   u = product (+ c) (+ bias);  c = u, or gelu(u) · gate (+ residual), with u kept in `pre` if asked.
// Writes `c`, and `pre` at the same addresses. A reduction in parts writes them one after another, without an epilogue.

struct Params {
  m: u32, // rows of C
  n: u32, // columns of C
  k1: u32, // outer extent of the reduction
  k2: u32, // inner extent of the reduction
  z: u32, // items of both batch indices
  z2: u32, // extent of the inner batch index
  parts: u32, // parts of the reduction
  part_k: u32, // terms of a part, a multiple of DEPTH
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
  c_part: u32, // address stride of the parts
  bias_base: u32,
  bias_z2: u32,
  gate_base: u32,
  gate_z2: u32,
  gate_n: u32, // 1 for a gate per column, 0 for one per item
}

override DOWN: u32 = 16; // invocations of a workgroup along m, and along n
override ACROSS: u32 = 16;
override ROW_BLOCKS: u32 = 1; // blocks of an invocation along m, 1 or 2, and along n
override COLUMN_BLOCKS: u32 = 1;
override DEPTH: u32 = 16; // terms of the reduction staged at a time; no invocation stages more than four of each operand
override A_ALONG_K: bool = true;
override B_ALONG_K: bool = false;
override A_FOURS: bool = false; // whether neighbours start at multiples of four, so that one load brings four
override B_FOURS: bool = false;
override TAPS: bool = false; // whether k1 is more than one
override ACCUMULATE: bool = false;
override BIAS: bool = false;
override PRE: bool = false;
override GELU: bool = false;
override GATE: bool = false;
override RESIDUAL: bool = false;

override A_WIDTH = DOWN * ROW_BLOCKS; // fours of a staged line: a term of the reduction, all rows
override B_WIDTH = ACROSS * COLUMN_BLOCKS;

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> pre: array<f32>;
@group(0) @binding(5) var<storage, read> gate: array<f32>;
@group(0) @binding(6) var<storage, read> residual: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

var<workgroup> a_tile: array<vec4f, 2u * DEPTH * A_WIDTH>; // [half][term][row / 4]
var<workgroup> b_tile: array<vec4f, 2u * DEPTH * B_WIDTH>;

// Address of A's element, or of the first of four; u32 max for one that is zero.
fn a_address(m: u32, k: u32, k_end: u32, z1: u32, z2: u32) -> u32 {
  let k1 = select(0u, k / params.k2, TAPS);
  let k2 = k - k1 * params.k2;
  let along = select(k2, m, A_ALONG_K);
  let y = params.a_y0 + i32(along) * params.a_step + i32(k1) * params.a_tap + i32(z2) * params.a_z2_step;
  if (k >= k_end || y < 0 || y >= params.a_height) {
    return 0xffffffffu;
  }
  return bitcast<u32>(params.a_base) + z1 * params.a_z1 + z2 * params.a_z2 + k1 * params.a_k1 + u32(y) * params.a_row +
    select(m, k2, A_ALONG_K);
}

fn b_address(n: u32, k: u32, k_end: u32, z1: u32, z2: u32) -> u32 {
  let k1 = select(0u, k / params.k2, TAPS);
  let k2 = k - k1 * params.k2;
  let along = select(k2, n, B_ALONG_K);
  let y = params.b_y0 + i32(along) * params.b_step + i32(k1) * params.b_tap + i32(z2) * params.b_z2_step;
  if (k >= k_end || y < 0 || y >= params.b_height) {
    return 0xffffffffu;
  }
  return bitcast<u32>(params.b_base) + z1 * params.b_z1 + z2 * params.b_z2 + k1 * params.b_k1 + u32(y) * params.b_row +
    select(n, k2, B_ALONG_K);
}

// What an invocation stages of A: four terms of four rows, or one term of them. What lies past the last row is anything:
// it is multiplied into what is not written. Loops, since SwiftShader takes minutes to compile them written out.
fn load_a(m: u32, k: u32, k_end: u32, z1: u32, z2: u32) -> mat4x4f {
  var block = mat4x4f();
  let lines = select(1u, 4u, A_ALONG_K);
  if (A_FOURS) {
    for (var i = 0u; i < lines; i++) {
      let at = a_address(m + i, k, k_end, z1, z2);
      if (at != 0xffffffffu) {
        block[i] = a[at / 4u];
      }
    }
  } else {
    for (var i = 0u; i < 4u * lines; i++) {
      let at = a_address(m + select(i, i / 4u, A_ALONG_K), select(k, k + i % 4u, A_ALONG_K), k_end, z1, z2);
      if (at != 0xffffffffu) {
        block[i / 4u][i % 4u] = a[at / 4u][at % 4u];
      }
    }
  }
  return block;
}

fn load_b(n: u32, k: u32, k_end: u32, z1: u32, z2: u32) -> mat4x4f {
  var block = mat4x4f();
  let lines = select(1u, 4u, B_ALONG_K);
  if (B_FOURS) {
    for (var i = 0u; i < lines; i++) {
      let at = b_address(n + i, k, k_end, z1, z2);
      if (at != 0xffffffffu) {
        block[i] = b[at / 4u];
      }
    }
  } else {
    for (var i = 0u; i < 4u * lines; i++) {
      let at = b_address(n + select(i, i / 4u, B_ALONG_K), select(k, k + i % 4u, B_ALONG_K), k_end, z1, z2);
      if (at != 0xffffffffu) {
        block[i / 4u][i % 4u] = b[at / 4u][at % 4u];
      }
    }
  }
  return block;
}

fn stage_a(half: u32, m: u32, k: u32, block: mat4x4f) {
  let at = (half * DEPTH + k) * A_WIDTH + m / 4u;
  if (A_ALONG_K) {
    let turned = transpose(block);
    a_tile[at] = turned[0];
    a_tile[at + A_WIDTH] = turned[1];
    a_tile[at + 2u * A_WIDTH] = turned[2];
    a_tile[at + 3u * A_WIDTH] = turned[3];
  } else {
    a_tile[at] = block[0];
  }
}

fn stage_b(half: u32, n: u32, k: u32, block: mat4x4f) {
  let at = (half * DEPTH + k) * B_WIDTH + n / 4u;
  if (B_ALONG_K) {
    let turned = transpose(block);
    b_tile[at] = turned[0];
    b_tile[at + B_WIDTH] = turned[1];
    b_tile[at + 2u * B_WIDTH] = turned[2];
    b_tile[at + 3u * B_WIDTH] = turned[3];
  } else {
    b_tile[at] = block[0];
  }
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

// Writes one element with its epilogue.
fn finish(item: u32, place: u32, m: u32, n: u32, sum: f32) {
  if (m >= params.m || n >= params.n) {
    return;
  }
  let at = place + m * params.c_row + n;
  var u = sum;
  if (ACCUMULATE) {
    u += c[at];
  }
  if (BIAS) {
    u += bias[params.bias_base + item * params.bias_z2 + n];
  }
  if (PRE) {
    pre[at] = u;
  }
  if (GELU) {
    u = gelu(u);
  }
  if (GATE) {
    u *= gate[params.gate_base + item * params.gate_z2 + n * params.gate_n];
  }
  if (RESIDUAL) {
    u += residual[at];
  }
  c[at] = u;
}

fn finish_block(item: u32, place: u32, m: u32, n: u32, block: mat4x4f) {
  let rows = array<vec4f, 4>(block[0], block[1], block[2], block[3]);
  for (var i = 0u; i < 16u; i++) {
    finish(item, place, m + i / 4u, n + i % 4u, rows[i / 4u][i % 4u]);
  }
}

@compute @workgroup_size(DOWN * ACROSS)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
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
  let inside = z < params.z; // uniform in the workgroup

  // Position of what this invocation stages: along k, neighbours take the terms of the same rows. Where few stage, those
  // of B are not those of A.
  let other = (local + DOWN * ACROSS / 2u) % (DOWN * ACROSS);
  let a_m = select(local % A_WIDTH, local / (DEPTH / 4u), A_ALONG_K) * 4u;
  let a_k = select(local / A_WIDTH, local % (DEPTH / 4u) * 4u, A_ALONG_K);
  let b_n = select(other % B_WIDTH, other / (DEPTH / 4u), B_ALONG_K) * 4u;
  let b_k = select(other / B_WIDTH, other % (DEPTH / 4u) * 4u, B_ALONG_K);
  let a_stages = inside && a_m < 4u * A_WIDTH && a_k < DEPTH;
  let b_stages = inside && b_n < 4u * B_WIDTH && b_k < DEPTH;

  let tm = local / ACROSS;
  let tn = local % ACROSS;
  var c00 = mat4x4f();
  var c01 = mat4x4f();
  var c10 = mat4x4f();
  var c11 = mat4x4f();
  if (a_stages) {
    stage_a(0u, a_m, a_k, load_a(m0 + a_m, k_start + a_k, k_end, z1, z2));
  }
  if (b_stages) {
    stage_b(0u, b_n, b_k, load_b(n0 + b_n, k_start + b_k, k_end, z1, z2));
  }
  workgroupBarrier();
  var half = 0u;
  for (var k0 = k_start; k0 < k_end; k0 += DEPTH) {
    let more = k0 + DEPTH < k_end;
    var next_a = mat4x4f();
    var next_b = mat4x4f();
    if (more && a_stages) {
      next_a = load_a(m0 + a_m, k0 + DEPTH + a_k, k_end, z1, z2);
    }
    if (more && b_stages) {
      next_b = load_b(n0 + b_n, k0 + DEPTH + b_k, k_end, z1, z2);
    }
    for (var k = 0u; k < DEPTH; k++) {
      let a_line = (half * DEPTH + k) * A_WIDTH + tm;
      let b_line = (half * DEPTH + k) * B_WIDTH + tn;
      let rows = a_tile[a_line];
      let columns = b_tile[b_line];
      c00 = add_outer(c00, rows, columns);
      if (ROW_BLOCKS > 1u) {
        c10 = add_outer(c10, a_tile[a_line + DOWN], columns);
      }
      if (COLUMN_BLOCKS > 1u) {
        let others = b_tile[b_line + ACROSS];
        c01 = add_outer(c01, rows, others);
        if (ROW_BLOCKS > 1u) {
          c11 = add_outer(c11, a_tile[a_line + DOWN], others);
        }
      }
    }
    half = 1u - half;
    if (more && a_stages) {
      stage_a(half, a_m, a_k, next_a);
    }
    if (more && b_stages) {
      stage_b(half, b_n, b_k, next_b);
    }
    workgroupBarrier();
  }
  if (inside) {
    let place = params.c_base + part * params.c_part + z1 * params.c_z1 + z2 * params.c_z2;
    let m = m0 + tm * 4u;
    let n = n0 + tn * 4u;
    finish_block(z2, place, m, n, c00);
    if (ROW_BLOCKS > 1u) {
      finish_block(z2, place, m + 4u * DOWN, n, c10);
    }
    if (COLUMN_BLOCKS > 1u) {
      finish_block(z2, place, m, n + 4u * ACROSS, c01);
      if (ROW_BLOCKS > 1u) {
        finish_block(z2, place, m + 4u * DOWN, n + 4u * ACROSS, c11);
      }
    }
  }
}
