// norm = √x of a sum of squares x; factor = min(1, limit / (norm + 1e-6)), or 0 where the norm is not finite.
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
  let more = sqrt(x[0]) + 1e-6;
  // By its bits, since compilers may take it that every number is finite.
  let finite = (bitcast<u32>(x[0]) & 0x7f800000u) != 0x7f800000u;
  factor[0] = select(0.0, select(params.limit / more, 1.0, more <= params.limit), finite);
}
