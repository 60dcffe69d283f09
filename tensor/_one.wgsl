// Appended to shaders that are written for `Number`: here one f32.
alias Number = f32;

fn total(v: Number) -> f32 {
  return v;
}
