// y_i = x_i − log Σ_j exp(x_j) over each row.
// dx_i = dy_i − exp(y_i)·Σ_j dy_j.
// Entry point `forward` writes `y`; `backward` reads `y` as `x` and writes `dx`.

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = lane_row(workgroup_number(workgroup, workgroups), local, params.rows, params.columns);
  let norm = row_norm(row.start, params.columns, local);
  if (row.inside) {
    for (var i = row.lane; i < params.columns; i += LANES) {
      y[row.start + i] = log_probability(row.start + i, norm);
    }
  }
}

@compute @workgroup_size(64)
fn backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = lane_row(workgroup_number(workgroup, workgroups), local, params.rows, params.columns);
  var total = 0.0;
  for (var i = row.lane; i < params.columns; i += LANES) {
    total += dy[row.start + i];
  }
  total = sum_over_lanes(vec3f(total), local).x;
  if (row.inside) {
    for (var i = row.lane; i < params.columns; i += LANES) {
      dx[row.start + i] = dy[row.start + i] - exp(x[row.start + i]) * total;
    }
  }
}
