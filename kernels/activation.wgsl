// The pullback of the epilogue y = a·gate, a = gelu(u) or u, of linear layers and convolutions:
//   du = dy·gate·gelu'(u) (or dy·gate);  the gate's gradient is Σ_rows dy·a, for which `a` is written again.
// Entry point `main` writes `du`, and `a` if there is a gate.

struct Params {
  n: u32, // Numbers of a window
  first: u32, // the first of them
  columns: u32, // Numbers of a row
}

override GELU: bool = false;
override GATE: bool = false;

@group(0) @binding(0) var<storage, read> dy: array<Number>;
@group(0) @binding(1) var<storage, read> u: array<Number>;
@group(0) @binding(2) var<storage, read> gate: array<Number>;
@group(0) @binding(3) var<storage, read_write> du: array<Number>;
@group(0) @binding(4) var<storage, read_write> a: array<Number>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 256u + local;
  if (i >= params.n) {
    return;
  }
  var d = dy[i];
  if (GATE) {
    d *= gate[(params.first + i) % params.columns];
    a[i] = u[i];
    if (GELU) {
      a[i] = gelu(u[i]);
    }
  }
  if (GELU) {
    d *= gelu_slope(u[i]);
  }
  du[i] = d;
}
