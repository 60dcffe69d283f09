// Appended to shaders whose workgroups have 64 invocations, LANES of which share a row. All invocations of a workgroup must call
// these functions, also those beyond the last row. With one lane there is no barrier. `_no_subgroups.wgsl` or `_subgroups.wgsl`
// is appended as well.

override LANES: u32 = 64u; // a power of two up to 64

var<workgroup> lane_values: array<vec3f, 64>;

/// Sums over the lanes of a row.
fn sum_over_lanes(value: vec3f, local: u32) -> vec3f {
  if (LANES == 1u) {
    return value;
  }
  if (SUBGROUPS && LANES == 64u) {
    return sum_over_workgroup(value, local);
  }
  lane_values[local] = value;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (local % LANES < half) {
      lane_values[local] += lane_values[local + half];
    }
    workgroupBarrier();
  }
  let sum = lane_values[local - local % LANES];
  workgroupBarrier();
  return sum;
}

/// The largest value of the lanes of a row.
fn largest_over_lanes(value: f32, local: u32) -> f32 {
  if (LANES == 1u) {
    return value;
  }
  if (SUBGROUPS && LANES == 64u) {
    return largest_over_workgroup(value, local);
  }
  lane_values[local].x = value;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (local % LANES < half) {
      lane_values[local].x = max(lane_values[local].x, lane_values[local + half].x);
    }
    workgroupBarrier();
  }
  let largest = lane_values[local - local % LANES].x;
  workgroupBarrier();
  return largest;
}
