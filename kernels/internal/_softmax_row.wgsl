// Appended, with `_over_lanes.wgsl`, to shaders that apply a softmax to rows of `x`. LANES invocations share a row: one where
// rows are short, all 64 of a workgroup where they are long, so that no loop is long.

/// The row that an invocation works on.
struct LaneRow {
  number: u32,
  inside: bool, // false beyond the last row, where invocations only take part in the barriers
  start: u32, // address of its first element
  lane: u32,
}

fn lane_row(workgroup: u32, local: u32, rows: u32, columns: u32) -> LaneRow {
  let number = (workgroup * 64u + local) / LANES;
  return LaneRow(number, number < rows, min(number, rows - 1u) * columns, local % LANES);
}

/// Largest element m of a row, and log Σ exp(x − m). Two values, since their sum would round away the difference between a
/// probability near 1 and 1.
struct RowNorm {
  largest: f32,
  log_sum: f32,
}

/// The norm of the row of `columns` elements that starts at `start`.
fn row_norm(start: u32, columns: u32, local: u32) -> RowNorm {
  let lane = local % LANES;
  var largest = x[start];
  for (var i = lane; i < columns; i += LANES) {
    largest = max(largest, x[start + i]);
  }
  largest = largest_over_lanes(largest, local);
  var total = 0.0;
  for (var i = lane; i < columns; i += LANES) {
    total += exp(x[start + i] - largest);
  }
  return RowNorm(largest, log(sum_over_lanes(vec3f(total), local).x));
}

/// log softmax(x) of the element at an address.
fn log_probability(at: u32, norm: RowNorm) -> f32 {
  return (x[at] - norm.largest) - norm.log_sum;
}
