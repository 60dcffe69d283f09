// Appended to shaders whose dispatches may exceed the limit of one dimension: the index of this workgroup, since the
// host folds a long line of workgroups into rows.
fn workgroup_number(id: vec3u, count: vec3u) -> u32 {
  return id.y * count.x + id.x;
}
