// Appended, with `_over_lanes.wgsl`, to shaders that work on rows of `x` through a softmax. A row is shared by LANES
// invocations: by one where rows are short, by a whole workgroup of 64 where they are long, so that no loop is.

/// Row of an invocation; it may lie beyond the last one.
fn row_number(workgroup: u32, local: u32) -> u32 {
  return (workgroup * 64u + local) / LANES;
}

/// Largest value m of the row that starts at `first`, and log Σ exp(x − m): kept apart, since their sum would round
/// away what tells a probability near one from one.
fn softmax_row(first: u32, length: u32, local: u32) -> vec2f {
  let lane = local % LANES;
  var largest = x[first];
  for (var i = lane; i < length; i += LANES) {
    largest = max(largest, x[first + i]);
  }
  largest = largest_over_lanes(largest, local);
  var total = 0.0;
  for (var i = lane; i < length; i += LANES) {
    total += exp(x[first + i] - largest);
  }
  return vec2f(largest, log(sum_over_lanes(vec3f(total), local).x));
}
