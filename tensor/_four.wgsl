// Appended to shaders that are written for `Number`: here four f32, of neighbouring channels.
alias Number = vec4f;

fn total(v: Number) -> f32 {
  return dot(v, vec4f(1.0));
}
