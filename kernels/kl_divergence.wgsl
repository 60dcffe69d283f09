// y = w·Σ_i exp(t_i)·(t_i − log softmax(x)_i) for each row; t holds logarithms of probabilities.
// dx_i = dy·w·(softmax(x)_i − exp(t_i)).
// Entry point `forward` writes `y`, `backward` writes `dx`.

struct Params {
  rows: u32,
  columns: u32, // V
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> t: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = lane_row(workgroup_number(workgroup, workgroups), local, params.rows, params.columns);
  let norm = row_norm(row.start, params.columns, local);
  var sum = 0.0;
  for (var i = row.lane; i < params.columns; i += LANES) {
    let target_log = t[row.start + i];
    sum += exp(target_log) * (target_log - log_probability(row.start + i, norm));
  }
  sum = sum_over_lanes(vec3f(sum), local).x;
  if (row.inside && row.lane == 0u) {
    y[row.number] = w[row.number] * sum;
  }
}

@compute @workgroup_size(64)
fn backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = lane_row(workgroup_number(workgroup, workgroups), local, params.rows, params.columns);
  let norm = row_norm(row.start, params.columns, local);
  if (row.inside) {
    let factor = dy[row.number] * w[row.number];
    for (var i = row.lane; i < params.columns; i += LANES) {
      dx[row.start + i] = factor * (exp(log_probability(row.start + i, norm)) - exp(t[row.start + i]));
    }
  }
}
