// Appended to shaders that write C. For element (z1, z2, m, n), of which `sum` is the GEMM:
//   u = sum (+ c) (+ bias);  c = u, or gelu(u) · gate (+ residual), with u kept in `pre` if asked.
// Writes `c`, in which a Number is a `Stored`, of f32 or f16, and `pre` at the same addresses. Addresses and columns are in
// `Number`s, except those of `item_gate`. The preprocessor keeps the operations that a GEMM has.

@group(0) @binding(3) var<storage, read_write> c: array<Stored>;
@group(0) @binding(4) var<storage, read> bias: array<Number>;
@group(0) @binding(5) var<storage, read_write> pre: array<Number>;
@group(0) @binding(6) var<storage, read> gate: array<Number>; // of each column
@group(0) @binding(7) var<storage, read> item_gate: array<f32>; // of each z2
@group(0) @binding(8) var<storage, read> residual: array<Number>;

// Writes the Number of column n in item z2, at address `at` of c.
fn finish(at: u32, n: u32, z2: u32, sum: Number) {
  var u = sum;
  //#if ACCUMULATE
  u += Number(c[at]);
  //#end
  //#if BIAS
  u += bias[params.bias_base + z2 * params.bias_z2 + n];
  //#end
  //#if PRE
  pre[at] = u;
  //#end
  //#if GELU
  u = gelu(u);
  //#end
  //#if GATE
  u *= gate[params.gate_base + z2 * params.gate_z2 + n];
  //#end
  //#if ITEM_GATE
  u *= item_gate[params.gate_base + z2 * params.gate_z2];
  //#end
  //#if RESIDUAL
  u += residual[at];
  //#end
  c[at] = Stored(u);
}
