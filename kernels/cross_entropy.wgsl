// y = −weight·log softmax(x)[label] for each row; the host sums them.
// dx_i = dy·weight·(softmax(x)_i − [i = label]).
// Entry point `forward` writes `y`, `backward` writes `dx`.

struct Params {
  rows: u32,
  columns: u32, // classes
  each: u32, // 1 if dy has a number for each row, 0 if one for all
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
  let row = row_number(workgroup_number(workgroup, workgroups), local);
  let first = min(row, params.rows - 1u) * params.columns;
  let norm = softmax_row(first, params.columns, local);
  if (row < params.rows && local % LANES == 0u) {
    y[row] = params.weight * (norm.y - (x[first + u32(labels[row])] - norm.x));
  }
}

@compute @workgroup_size(64)
fn backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = row_number(workgroup_number(workgroup, workgroups), local);
  let first = min(row, params.rows - 1u) * params.columns;
  let norm = softmax_row(first, params.columns, local);
  if (row < params.rows) {
    let factor = params.weight * dy[row * params.each];
    let label = u32(labels[row]);
    for (var i = local % LANES; i < params.columns; i += LANES) {
      let share = exp((x[first + i] - norm.x) - norm.y);
      dx[first + i] = factor * (share - select(0.0, 1.0, i == label));
    }
  }
}
