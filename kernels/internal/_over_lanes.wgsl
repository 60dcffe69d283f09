// Appended to shaders whose workgroups have 64 invocations, LANES of which share a row. All invocations of a workgroup must call
// these functions, also those beyond the last row. With one lane there is no barrier. Preprocessed: SUBGROUPS is whether the
// device has them.

override LANES: u32 = 64u; // a power of two up to 64

var<workgroup> lane_values: array<vec3f, 64>;

/// Sums over the lanes of a row.
fn sum_over_lanes(value: vec3f, local: u32) -> vec3f {
  if (LANES == 1u) {
    return value;
  }
//#if SUBGROUPS
  if (LANES == 64u) {
    return sum_over_workgroup(value, local);
  }
//#end
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
//#if SUBGROUPS
  if (LANES == 64u) {
    return largest_over_workgroup(value, local);
  }
//#end
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
//#if SUBGROUPS

// Rows that all 64 invocations share. Subgroups may have any size and any of the invocations, all of them active. Each writes
// one value for the others between two barriers; the tree takes eight.

/// Sums over the workgroup.
fn sum_over_workgroup(value: vec3f, local: u32) -> vec3f {
  let part = subgroupAdd(value);
  let size = subgroupAdd(1u);
  let rank = subgroupExclusiveAdd(1u);
  lane_values[local] = select(vec3f(), part, rank == 0u);
  workgroupBarrier();
  var sum = vec3f();
  for (var i = rank; i < 64u; i += size) {
    sum += lane_values[i];
  }
  workgroupBarrier();
  return subgroupAdd(sum);
}

/// The largest value of the workgroup.
fn largest_over_workgroup(value: f32, local: u32) -> f32 {
  lane_values[local].x = subgroupMax(value);
  let size = subgroupAdd(1u);
  workgroupBarrier();
  var largest = value;
  for (var i = subgroupExclusiveAdd(1u); i < 64u; i += size) {
    largest = max(largest, lane_values[i].x);
  }
  workgroupBarrier();
  return subgroupMax(largest);
}
//#end
