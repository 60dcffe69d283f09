// norm = √x of a sum of squares x; factor = min(1, limit / (norm + 1e-6)), or 0 if the norm is not finite.
// Entry point `main` writes `norm` and `factor`.

struct Params {
  limit: f32, // largest norm
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> norm: array<f32>;
@group(0) @binding(2) var<storage, read_write> factor: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(1)
fn main() {
  norm[0] = sqrt(x[0]);
  let padded = sqrt(x[0]) + 1e-6;
  // Tested by its bits: compilers may assume that all values are finite.
  let finite = (bitcast<u32>(x[0]) & 0x7f800000u) != 0x7f800000u;
  factor[0] = select(0.0, select(params.limit / padded, 1.0, padded <= params.limit), finite);
}
