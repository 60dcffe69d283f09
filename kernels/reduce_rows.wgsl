// y[block, c] = Σ_r x[r, c]·times[r, c] over the rows r of a block of BLOCK rows (without times: Σ_r x[r, c]).
// One invocation sums one column of one block, so that neighbours read neighbouring columns and no loop is long;
// passes over the results go on until one row is left. Writes `y`.

struct Params {
  rows: u32,
  columns: u32,
  first: u32, // first row of y to write
}

const BLOCK = 64u;

override TIMES: bool = false;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> times: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = workgroup_number(workgroup, workgroups) * 64u + local;
  let block = number / params.columns;
  let column = number % params.columns;
  let end = min((block + 1u) * BLOCK, params.rows);
  if (block * BLOCK >= end) {
    return;
  }
  var sum = 0.0;
  for (var row = block * BLOCK; row < end; row++) {
    let at = row * params.columns + column;
    if (TIMES) {
      sum = fma(x[at], times[at], sum);
    } else {
      sum += x[at];
    }
  }
  y[(params.first + block) * params.columns + column] = sum;
}
