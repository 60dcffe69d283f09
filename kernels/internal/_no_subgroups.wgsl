// Appended with `_over_lanes.wgsl` where the device has no subgroups. These functions are never executed.

const SUBGROUPS = false;

fn sum_over_workgroup(value: vec3f, local: u32) -> vec3f {
  return value;
}

fn largest_over_workgroup(value: f32, local: u32) -> f32 {
  return value;
}
