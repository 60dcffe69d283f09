// y[o, j, i] = x[o, index[j], i]; 0 where index[j] is below 0.
// dx[o, n, i] = dy[o, j, i] with index[j] = n, which is y of dy by the inverse index.
// Entry point `main` writes `y`.

struct Params {
  n: u32, // Numbers of y
  inner: u32, // Numbers behind the axis
  y_entries: u32, // entries of the axis in y
  x_outer: u32, // Numbers between the starts of two o in x
  y_outer: u32, // and in y
}

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<storage, read> index: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<Number>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = workgroup_number(workgroup, workgroups) * 64u + local;
  if (at >= params.n) {
    return;
  }
  let i = at % params.inner;
  let j = at / params.inner % params.y_entries;
  let o = at / params.inner / params.y_entries;
  let n = index[j];
  var value = Number();
  if (n >= 0) {
    value = x[o * params.x_outer + u32(n) * params.inner + i];
  }
  y[o * params.y_outer + j * params.inner + i] = value;
}
