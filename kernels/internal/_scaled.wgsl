// Appended to shaders that multiply probabilities over thousands of frames. A value is m·2^e with a separate exponent, so that
// nothing underflows and every step has a relative rounding error of 2^-24. Logarithms in f32 would have an absolute error of
// 5e-4 where an utterance's log probability is near −10,000.

struct Scaled {
  m: f32, // in [1, 2), or 0, or not finite
  e: i32,
}

/// Exponent of the value 0, below all others; the sum of two such exponents does not overflow.
const SCALED_NONE = -0x20000000;

/// 2^e; 0 below the smallest normal f32.
fn power_of_two(e: i32) -> f32 {
  return bitcast<f32>(u32(clamp(e + 127, 0, 254)) << 23u);
}

/// m·2^e for any m ≥ 0, normalised.
fn scaled(m: f32, e: i32) -> Scaled {
  let bits = bitcast<u32>(m);
  let exponent = i32((bits >> 23u) & 0xffu);
  if (exponent == 0) {
    return Scaled(0.0, SCALED_NONE);
  }
  if (exponent == 255) {
    return Scaled(m, 0);
  }
  return Scaled(bitcast<f32>((bits & 0x7fffffu) | 0x3f800000u), e + exponent - 127);
}

fn scaled_product(a: Scaled, b: Scaled) -> Scaled {
  return scaled(a.m * b.m, a.e + b.e);
}

fn scaled_sum(a: Scaled, b: Scaled, c: Scaled) -> Scaled {
  let e = max(a.e, max(b.e, c.e));
  return scaled(a.m * power_of_two(a.e - e) + b.m * power_of_two(b.e - e) + c.m * power_of_two(c.e - e), e);
}

/// exp(x) for x ≤ 0; 0 below −1e5. The polynomial is that of Cephes' expf, |r| ≤ ln 2 / 2.
fn scaled_exp(x: f32) -> Scaled {
  if (x < -1e5) {
    return Scaled(0.0, SCALED_NONE);
  }
  let n = round(x * 1.4426950408889634);
  let r = (x - n * 0.693359375) + n * 2.12194440e-4; // ln 2 in two parts, the first of which has nine bits
  var p = 1.9875691500e-4;
  p = p * r + 1.3981999507e-3;
  p = p * r + 8.3334519073e-3;
  p = p * r + 4.1665795894e-2;
  p = p * r + 1.6666665459e-1;
  p = p * r + 5.0000001201e-1;
  return scaled(p * r * r + r + 1.0, i32(n));
}

/// Natural logarithm of a value above 0.
fn scaled_log(a: Scaled) -> f32 {
  let upper = a.m > 1.4142135;
  return log(select(a.m, 0.5 * a.m, upper)) + f32(select(a.e, a.e + 1, upper)) * 0.6931471805599453;
}
