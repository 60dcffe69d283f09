// y = −weight·log softmax(x)[label] for each row; the host sums them.
// dx_i = dy·weight·(softmax(x)_i − [i = label]).
// Entry point `forward` writes `y`, `backward` writes `dx`.

struct Params {
  rows: u32,
  columns: u32, // classes
  each: u32, // 1 if dy has an element for each row, 0 if it has one for all
  weight: f32, // share of a row in the result
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = lane_row(workgroup_number(workgroup, workgroups), local, params.rows, params.columns);
  let norm = row_norm(row.start, params.columns, local);
  if (row.inside && row.lane == 0u) {
    let score = x[row.start + u32(labels[row.number])];
    y[row.number] = params.weight * (norm.log_sum - (score - norm.largest));
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
    let factor = params.weight * dy[row.number * params.each];
    let label = u32(labels[row.number]);
    for (var i = row.lane; i < params.columns; i += LANES) {
      let probability = exp(log_probability(row.start + i, norm));
      dx[row.start + i] = factor * (probability - select(0.0, 1.0, i == label));
    }
  }
}
