// The pullback of the epilogue y = a·gate, a = gelu(u) or u, of linear layers and convolutions:
//   du = dy·gate·gelu'(u) (or dy·gate), and over the rows Σ du for the bias and Σ dy·a for the gate.
// An invocation computes one column of a part of RUN rows. Entry point `main` writes `du`, the sums of each part to `sums`, and
// those for the gate, if there is one, to `dots`; reduce_rows adds up the parts.

struct Params {
  rows: u32, // rows of a window
  columns: u32, // Numbers of a row
  part: u32, // first part of the window
}

override RUN: u32 = 8u;
override GELU: bool = false;
override GATE: bool = false;

@group(0) @binding(0) var<storage, read> dy: array<Number>;
@group(0) @binding(1) var<storage, read> u: array<Number>;
@group(0) @binding(2) var<storage, read> gate: array<Number>;
@group(0) @binding(3) var<storage, read_write> du: array<Number>;
@group(0) @binding(4) var<storage, read_write> sums: array<Number>;
@group(0) @binding(5) var<storage, read_write> dots: array<Number>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = workgroup_number(workgroup, workgroups) * 64u + local;
  let part = number / params.columns;
  let c = number - part * params.columns;
  let first = part * RUN;
  if (first >= params.rows) {
    return;
  }
  let end = min(first + RUN, params.rows);
  var z = Number(1.0);
  if (GATE) {
    z = gate[c];
  }
  var sum = Number();
  var dot = Number();
  for (var r = first; r < end; r++) {
    let at = r * params.columns + c;
    let d = dy[at];
    let v = u[at];
    var through = d * z;
    if (GELU) {
      through *= gelu_slope(v);
      dot += d * gelu(v);
    } else {
      dot += d * v;
    }
    du[at] = through;
    sum += through;
  }
  let to = (params.part + part) * params.columns + c;
  sums[to] = sum;
  if (GATE) {
    dots[to] = dot;
  }
}
