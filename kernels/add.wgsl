// y_i = a_i + b_i; a shorter b is broadcast: y_i = a_i + b_{i mod |b|}.
// da = dy;  db = dy, summed by reduce_rows over the dimensions that b was broadcast along.
// Entry point `forward` writes `y`; the pullback needs no shader here.

struct Params {
  n: u32, // Numbers of a window of a and y
  first: u32, // index of the first
  columns: u32, // Numbers of b, if it is broadcast
}

override BROADCAST: bool = false;

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
  if (BROADCAST) {
    of_b = (params.first + i) % params.columns;
  }
  y[i] = a[i] + b[of_b];
}
