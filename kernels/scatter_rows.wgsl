// y[r, c] = Σ x[n, c] over the rows n with index[n] = r. An invocation computes elements of y, so that no two write to the same
// address and the order of a sum is fixed.
// dx is dy, gathered by the same index.
// Entry point `listed` writes `y` where the host has sorted the rows of x by index: row r of y sums the rows order[k], k from
// starts[r] to starts[r + 1]. `searched` searches an index on the device. With ADD, both add to y, for further parts of x.

struct Params {
  rows: u32, // rows of a window of y
  first: u32, // index of the first
  columns: u32, // Numbers of a row
  terms: u32, // rows of x, for `searched`
}

override ADD: bool = false;

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<storage, read> starts: array<u32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read> index: array<i32>;
@group(0) @binding(4) var<storage, read_write> y: array<Number>;
@group(0) @binding(5) var<uniform> params: Params;

fn put(i: u32, sum: Number) {
  if (ADD) {
    y[i] += sum;
  } else {
    y[i] = sum;
  }
}

@compute @workgroup_size(64)
fn listed(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 64u + local;
  if (i >= params.rows * params.columns) {
    return;
  }
  let row = params.first + i / params.columns;
  var sum = Number();
  for (var k = starts[row]; k < starts[row + 1u]; k++) {
    sum += x[order[k] * params.columns + i % params.columns];
  }
  put(i, sum);
}

@compute @workgroup_size(64)
fn searched(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 64u + local;
  if (i >= params.rows * params.columns) {
    return;
  }
  let row = i32(params.first + i / params.columns);
  var sum = Number();
  for (var n = 0u; n < params.terms; n++) {
    if (index[n] == row) {
      sum += x[n * params.columns + i % params.columns];
    }
  }
  put(i, sum);
}
