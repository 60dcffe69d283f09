/** The error function, to about 3 units in the last place. */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (Number.isNaN(z)) return NaN;
  return Math.sign(x) * (z < 2 ? series(z) : z < 6 ? 1 - tail(z) : 1);
}

// erf(z) = 2/√π · exp(−z²) · z · (1 + 2z²/3 · (1 + 2z²/5 · (1 + …))): all terms positive, nothing
// cancels, and the same rounded z² in both factors makes its error cancel.
function series(z: number): number {
  const square = z * z;
  let total = 1;
  for (let n = 45; n >= 1; n--) total = 1 + 2 * square / (2 * n + 1) * total;
  return 2 / Math.sqrt(Math.PI) * z * (Math.exp(-square) * total);
}

// erfc(z) = exp(−z²)/√π · 1/(z + (1/2)/(z + (2/2)/(z + (3/2)/…))), from the far end inwards.
function tail(z: number): number {
  let fraction = z;
  for (let n = 120; n >= 1; n--) fraction = z + n / 2 / fraction;
  return Math.exp(-z * z) / Math.sqrt(Math.PI) / fraction;
}
