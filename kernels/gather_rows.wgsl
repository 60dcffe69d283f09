// y[n, c] = x[index[n], c]; 0 where index[n] is out of range.
// dx is dy, scattered by the same index.
// Entry point `forward` writes `y`. Where x exceeds a binding, it runs once for each window of x: the first window writes every
// row of y, the others only the rows of theirs.

struct Params {
  n: u32, // Numbers of y
  columns: u32, // Numbers of a row
  first: i32, // first row of the window of x
  rows: i32, // number of its rows
}

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<storage, read> index: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<Number>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(256)
fn forward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 256u + local;
  if (i >= params.n) {
    return;
  }
  let row = index[i / params.columns] - params.first;
  if (row >= 0 && row < params.rows) {
    y[i] = x[u32(row) * params.columns + i % params.columns];
  } else if (params.first == 0) {
    y[i] = Number();
  }
}
