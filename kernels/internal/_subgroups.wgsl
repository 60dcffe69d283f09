// Appended with `_over_lanes.wgsl` where the device has subgroups, for rows that all 64 invocations of a workgroup share.
// Subgroups may have any size and any of the invocations. Each writes one value for the others between two barriers; a tree in
// workgroup memory takes eight.

const SUBGROUPS = true;

/// Sums over the workgroup.
fn sum_over_workgroup(value: vec3f, local: u32) -> vec3f {
  let part = subgroupAdd(value);
  lane_values[local] = select(vec3f(), part, subgroupElect());
  workgroupBarrier();
  let size = subgroupAdd(1u);
  var sum = vec3f();
  for (var i = subgroupExclusiveAdd(1u); i < 64u; i += size) {
    sum += lane_values[i];
  }
  workgroupBarrier();
  return subgroupAdd(sum);
}

/// The largest value of the workgroup.
fn largest_over_workgroup(value: f32, local: u32) -> f32 {
  lane_values[local].x = subgroupMax(value);
  workgroupBarrier();
  let size = subgroupAdd(1u);
  var largest = value;
  for (var i = subgroupExclusiveAdd(1u); i < 64u; i += size) {
    largest = max(largest, lane_values[i].x);
  }
  workgroupBarrier();
  return subgroupMax(largest);
}
