// Appended to shaders that are written for `Number`: here one f32.
alias Number = f32;
const WIDTH = 1u; // f32 of a Number

fn largest_of(v: Number) -> f32 {
  return v;
}

/// `v` at the first `n` elements of a row, of which this is Number `i`; `other` beyond.
fn first_of(n: u32, i: u32, v: Number, other: Number) -> Number {
  return select(other, v, i < n);
}

fn total(v: Number) -> f32 {
  return v;
}

/// The first Number of four f32.
fn first_number(four: vec4f) -> Number {
  return four.x;
}
