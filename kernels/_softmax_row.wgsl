// Appended to shaders that work on rows of `x` through a softmax. A row is shared by LANES invocations: by one where
// rows are short, by a whole workgroup of 64 where they are long, so that no loop is.

override LANES: u32 = 1u; // 1 or 64

var<workgroup> lane_values: array<f32, 64>;

/// Row of an invocation; it may lie beyond the last one.
fn row_number(workgroup: u32, local: u32) -> u32 {
  return (workgroup * 64u + local) / LANES;
}

/// Largest value (or sum, if not `largest`) over the lanes of a row; every invocation of the workgroup calls it.
fn over_lanes(value: f32, local: u32, largest: bool) -> f32 {
  if (LANES == 1u) {
    return value;
  }
  workgroupBarrier();
  lane_values[local] = value;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) {
      let other = lane_values[local + half];
      lane_values[local] = select(lane_values[local] + other, max(lane_values[local], other), largest);
    }
  }
  workgroupBarrier();
  return lane_values[0];
}

/// Largest value m of the row that starts at `first`, and log Σ exp(x − m): kept apart, since their sum would round
/// away what tells a probability near one from one.
fn softmax_row(first: u32, length: u32, local: u32) -> vec2f {
  let lane = local % LANES;
  var largest = x[first];
  for (var i = lane; i < length; i += LANES) {
    largest = max(largest, x[first + i]);
  }
  largest = over_lanes(largest, local, true);
  var total = 0.0;
  for (var i = lane; i < length; i += LANES) {
    total += exp(x[first + i] - largest);
  }
  return vec2f(largest, log(over_lanes(total, local, false)));
}
