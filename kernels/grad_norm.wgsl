// y = √x, and y = min(1, limit / (x + 1e-6)), or 0 where x is not finite. Entry point `root` writes the norm of a sum
// of squares, `coefficient` what brings gradients of norm x to a norm of `limit` at most.

struct Params {
  limit: f32, // largest norm
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(1)
fn root() {
  y[0] = sqrt(x[0]);
}

@compute @workgroup_size(1)
fn coefficient() {
  let norm = x[0] + 1e-6;
  // By its bits, since compilers may take it that every number is finite.
  let finite = (bitcast<u32>(norm) & 0x7f800000u) != 0x7f800000u;
  y[0] = select(0.0, select(params.limit / norm, 1.0, norm <= params.limit), finite);
}
