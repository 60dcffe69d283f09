// Reduces split-K and applies the epilogue: for element (z1, z2, m, n) of C, the sum of its partial sums.
// Addresses and columns are in `Number`s. An invocation computes CHUNK `Number`s of a row: on a CPU, where the invocations of a
// workgroup run one after another, finding the row takes longer than computing one.

struct Params {
  m: u32, // rows of C
  n: u32, // columns of C
  z: u32, // items of both batch indices
  z2: u32, // extent of the inner batch index
  splits: u32, // partial sums of an element
  partial_split: u32, // address strides of a split and of a row
  partial_row: u32,
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
@group(0) @binding(1) var<storage, read> partial: array<Number>;

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
  var n = first;
  loop { // with its test at the end: compilers of software adapters run a `for` once more, with all invocations masked
    finish(c_row + n, n, z2, sum_of_splits(row * params.partial_row + n));
    continuing {
      n++;
      break if n >= end;
    }
  }
}

// The sum of the element whose first partial sum is at `at`.
fn sum_of_splits(at: u32) -> Number {
  var sum = partial[at];
  for (var split = 1u; split < params.splits; split++) {
    sum += partial[at + split * params.partial_split];
  }
  return sum;
}
