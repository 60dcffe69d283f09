// y_i = a_i + b_i, b repeated if it is shorter: y_i = a_i + b_{i mod |b|}.
// da = dy;  db = dy, summed over the repetitions by reduce_rows.
// Entry point `forward` writes `y`; the pullback has no shader of its own.

struct Params {
  n: u32, // Numbers of a window of a and y
  first: u32, // the first of them
  columns: u32, // Numbers of b, if it is repeated
}

override REPEAT: bool = false;

@group(0) @binding(0) var<storage, read> a: array<Number>;
@group(0) @binding(1) var<storage, read> b: array<Number>;
@group(0) @binding(2) var<storage, read_write> y: array<Number>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(256)
fn forward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 256u + local;
  if (i >= params.n) {
    return;
  }
  var of_b = i;
  if (REPEAT) {
    of_b = (params.first + i) % params.columns;
  }
  y[i] = a[i] + b[of_b];
}
