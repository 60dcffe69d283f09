// Appended to shaders that are written for `Number`: here four f32, of neighbouring channels.
alias Number = vec4f;
const WIDTH = 4u; // f32 of a Number

fn largest_of(v: Number) -> f32 {
  return max(max(v.x, v.y), max(v.z, v.w));
}

/// `v` at the first `n` elements of a row, of which this is Number `i`; `other` beyond.
fn first_of(n: u32, i: u32, v: Number, other: Number) -> Number {
  return select(other, v, vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u) < vec4u(n));
}

fn total(v: Number) -> f32 {
  return dot(v, vec4f(1.0));
}

/// The first Number of four f32.
fn first_number(four: vec4f) -> Number {
  return four;
}
