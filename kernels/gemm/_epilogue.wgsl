// Appended to shaders that write a product with what follows it. For element (z1, z2, m, n), of which `sum` is the product:
//   u = sum (+ c) (+ bias);  c = u, or gelu(u) · gate (+ residual), with u kept in `pre` if asked.
// Writes `c`, in which a Number is a `Stored`, of f32 or f16, and `pre` at the same addresses. Addresses and columns are in
// `Number`s, but for those of `item_gate`.

override ACCUMULATE: bool = false;
override BIAS: bool = false;
override PRE: bool = false;
override GELU: bool = false;
override GATE: bool = false; // per column
override ITEM_GATE: bool = false;
override RESIDUAL: bool = false;

@group(0) @binding(3) var<storage, read_write> c: array<Stored>;
@group(0) @binding(4) var<storage, read> bias: array<Number>;
@group(0) @binding(5) var<storage, read_write> pre: array<Number>;
@group(0) @binding(6) var<storage, read> gate: array<Number>;
@group(0) @binding(7) var<storage, read> item_gate: array<f32>;
@group(0) @binding(8) var<storage, read> residual: array<Number>;

// Writes the Number of column n in item z2, which lies at `at` of c.
fn finish(at: u32, n: u32, z2: u32, sum: Number) {
  var u = sum;
  if (ACCUMULATE) {
    u += Number(c[at]);
  }
  if (BIAS) {
    u += bias[params.bias_base + z2 * params.bias_z2 + n];
  }
  if (PRE) {
    pre[at] = u;
  }
  if (GELU) {
    u = gelu(u);
  }
  if (GATE) {
    u *= gate[params.gate_base + z2 * params.gate_z2 + n];
  }
  if (ITEM_GATE) {
    u *= item_gate[params.gate_base + z2 * params.gate_z2];
  }
  if (RESIDUAL) {
    u += residual[at];
  }
  c[at] = Stored(u);
}
