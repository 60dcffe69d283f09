// Appended to shaders that use GELU in its erf form: gelu(x) = x·Φ(x), gelu'(x) = Φ(x) + x·φ(x), where Φ and φ are
// the standard normal distribution and density. The tail Q(u) = 1 − Φ(u) = exp(−u²/2)·R(u), u ≥ 0, with R a
// polynomial in 1/(1 + 0.3·u), fitted to a relative error of 1.5e-7 at most; nothing cancels on either side. Written for `Number`.

fn normal_tail(u: Number, density: Number) -> Number {
  let t = 1.0 / (1.0 + 0.3 * u);
  var r = Number(0.035674672573804855);
  r = r * t - 0.15720264613628387;
  r = r * t + 0.20635274052619934;
  r = r * t - 0.05368291586637497;
  r = r * t + 0.12856122851371765;
  r = r * t + 0.09991361200809479;
  r = r * t + 0.1207539364695549;
  r = r * t + 0.11962930113077164;
  return density * r * t;
}

fn gelu(x: Number) -> Number {
  let tail = x * normal_tail(abs(x), exp(-0.5 * x * x));
  return select(tail, x - tail, x > Number(0.0));
}

fn gelu_slope(x: Number) -> Number {
  let density = exp(-0.5 * x * x);
  let tail = normal_tail(abs(x), density);
  return select(tail, 1.0 - tail, x > Number(0.0)) + 0.3989422804014327 * x * density;
}
