// Appended to shaders whose dispatches may exceed one dimension's limit: the number of this workgroup when the
// host folds a long line of workgroups into rows.
fn workgroup_number(id: vec3u, count: vec3u) -> u32 {
  return id.y * count.x + id.x;
}
