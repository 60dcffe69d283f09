// y[b, t, c] = n, gelu(n), n·z[c] or gelu(n)·z[c], of n = (x[b, t, c] − m)·s·w[c] + b[c], with m the mean of channel c over
// the T frames of item b and s = 1/√(variance + eps), biased. With lengths, T is the item's own, and y is 0 beyond.
// With dn = dy·z·gelu'(n), x̂ = (x − m)·s, and sums over the frames:
//   dx = w·s·(dn − Σ dn/T − x̂·s·Σ dn·(x − m)/T),  dw[c] = Σ_b s·Σ dn·(x − m),  db[c] = Σ_b Σ dn,  dz[c] = Σ_b Σ dy·gelu(n).
// The mean comes from reduce_frames, rounded; the mean of x less that mean is what it is off by, and is taken off as well.
// An invocation does one channel of a part of RUN frames. Sums of parts are added up by reduce_frames. Entry points: `moments` writes
// the sums of x − mean of each part to `sums`, those of its square to `dots`; `prepare` makes of both `prepared`, [6, B, C];
// `forward` writes `y`; `through` writes `dn`, if it is not dy, and of each part the sums of dn to `sums`, of dn·(x − m) to
// `dots` and of dy·gelu(n) to `gates`; `backward` writes `dx`. Where x exceeds a binding, a window adds to the part that the
// window before it left off in.

struct Params {
  rows: u32, // frames of the window, over all items; in `prepare`, Numbers of [B, C]
  first: u32, // the first of them
  columns: u32, // Numbers of a frame
  frames: u32, // of an item, padding included
  items: u32, // B
  part: u32, // first part of the window, over all items
  eps: f32,
}

override RUN: u32 = 64u;
override GELU: bool = false;
override GATE: bool = false;
override LENGTHS: bool = false;

// Places in `affine`.
const RSTD = 0u; // s
const MEAN = 1u; // m, rounded
const OFF = 2u; // what it is off by
const SCALE = 3u; // s·w
const SHIFT = 4u; // b
const COUNT = 5u; // T

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<storage, read> mean: array<Number>;
@group(0) @binding(2) var<storage, read> w: array<Number>;
@group(0) @binding(3) var<storage, read> b: array<Number>;
@group(0) @binding(4) var<storage, read> lengths: array<u32>;
@group(0) @binding(5) var<storage, read_write> prepared: array<Number>;
@group(0) @binding(6) var<storage, read> affine: array<Number>; // as `prepare` wrote it
@group(0) @binding(7) var<storage, read> gate: array<Number>;
@group(0) @binding(8) var<storage, read_write> y: array<Number>;
@group(0) @binding(9) var<storage, read> dy: array<Number>;
@group(0) @binding(10) var<storage, read_write> dn: array<Number>;
@group(0) @binding(11) var<storage, read_write> sums: array<Number>;
@group(0) @binding(12) var<storage, read_write> dots: array<Number>;
@group(0) @binding(13) var<storage, read_write> gates: array<Number>;
@group(0) @binding(14) var<storage, read> through_norm: array<Number>; // dn, or dy
@group(0) @binding(15) var<storage, read> all_sums: array<Number>; // of all parts, [B, C]
@group(0) @binding(16) var<storage, read> all_dots: array<Number>;
@group(0) @binding(17) var<storage, read_write> dx: array<Number>;
@group(0) @binding(18) var<uniform> params: Params;

// What an invocation works on.
struct Walk {
  inside: bool,
  c: u32, // Number of a frame
  begin: u32, // first row, over all items
  end: u32, // one past the last
  start: u32, // first row of the item
  item: u32,
  part: u32, // place of the part's sums
  goes_on: bool, // whether the window before began the part
  at: u32, // place in [B, C]
}

fn affine_at(k: u32, at: u32) -> Number {
  return affine[k * params.items * params.columns + at];
}

fn walk(number: u32) -> Walk {
  let part = params.part + number / params.columns;
  let c = number % params.columns;
  let parts = (params.frames + RUN - 1u) / RUN; // of an item
  let item = part / parts;
  let row = item * params.frames + part % parts * RUN;
  let last = min(params.first + params.rows, (item + 1u) * params.frames);
  let begin = max(row, params.first);
  let at = min(item, params.items - 1u) * params.columns + c;
  return Walk(
    begin < last,
    c,
    begin,
    min(row + RUN, last),
    item * params.frames,
    item,
    part * params.columns + c,
    row < params.first,
    at,
  );
}

/// Frames of an item that count.
fn length_of(item: u32) -> u32 {
  if (LENGTHS) {
    return lengths[item];
  }
  return params.frames;
}

// The norm of a channel of an item, as `prepare` made it.
struct Norm {
  beyond: u32, // first row of the item that does not count
  m: Number,
  off: Number,
  scale: Number,
  shift: Number,
}

fn norm_of(walk: Walk) -> Norm {
  let count = total(affine_at(COUNT, walk.at)) / total(Number(1.0));
  return Norm(
    walk.start + u32(count),
    affine_at(MEAN, walk.at),
    affine_at(OFF, walk.at),
    affine_at(SCALE, walk.at),
    affine_at(SHIFT, walk.at),
  );
}

/// x less its mean.
fn centred_at(at: u32, norm: Norm) -> Number {
  return (x[at] - norm.m) - norm.off;
}

fn gate_of(walk: Walk) -> Number {
  if (GATE) {
    return gate[walk.c];
  }
  return Number(1.0);
}

@compute @workgroup_size(64)
fn moments(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let walk = walk(workgroup_number(workgroup, workgroups) * 64u + local);
  if (!walk.inside) {
    return;
  }
  let m = mean[walk.at];
  let end = min(walk.end, walk.start + length_of(walk.item));
  var sum_part = Number();
  var dot_part = Number();
  for (var r = walk.begin; r < end; r++) {
    let d = x[(r - params.first) * params.columns + walk.c] - m;
    sum_part += d;
    dot_part += d * d;
  }
  if (walk.goes_on) {
    sum_part += sums[walk.part];
    dot_part += dots[walk.part];
  }
  sums[walk.part] = sum_part;
  dots[walk.part] = dot_part;
}

@compute @workgroup_size(64)
fn prepare(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 64u + local;
  if (i >= params.rows) {
    return;
  }
  let c = i % params.columns;
  let count = f32(length_of(i / params.columns));
  let off = all_sums[i] / max(count, 1.0);
  let variance = max(all_dots[i] / max(count, 1.0) - off * off, Number());
  let s = 1.0 / sqrt(variance + params.eps);
  prepared[RSTD * params.rows + i] = s;
  prepared[MEAN * params.rows + i] = mean[i];
  prepared[OFF * params.rows + i] = off;
  prepared[SCALE * params.rows + i] = s * w[c];
  prepared[SHIFT * params.rows + i] = b[c];
  prepared[COUNT * params.rows + i] = Number(count);
}

@compute @workgroup_size(64)
fn forward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let walk = walk(workgroup_number(workgroup, workgroups) * 64u + local);
  if (!walk.inside) {
    return;
  }
  let norm = norm_of(walk);
  let z = gate_of(walk);
  for (var r = walk.begin; r < walk.end; r++) {
    let at = (r - params.first) * params.columns + walk.c;
    var value = centred_at(at, norm) * norm.scale + norm.shift;
    if (GELU) {
      value = gelu(value);
    }
    y[at] = select(Number(), value * z, r < norm.beyond);
  }
}

@compute @workgroup_size(64)
fn through(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let walk = walk(workgroup_number(workgroup, workgroups) * 64u + local);
  if (!walk.inside) {
    return;
  }
  let norm = norm_of(walk);
  let z = gate_of(walk);
  var sum_part = Number();
  var dot_part = Number();
  var gate_part = Number();
  for (var r = walk.begin; r < walk.end; r++) {
    let at = (r - params.first) * params.columns + walk.c;
    let d = select(Number(), dy[at], r < norm.beyond);
    let centred = centred_at(at, norm);
    var back = d * z;
    if (GELU || GATE) {
      let n = centred * norm.scale + norm.shift;
      var a = n;
      if (GELU) {
        a = gelu(n);
        back *= gelu_slope(n);
      }
      gate_part += d * a;
      dn[at] = back;
    }
    sum_part += back;
    dot_part += back * centred;
  }
  if (walk.goes_on) {
    sum_part += sums[walk.part];
    dot_part += dots[walk.part];
    if (GATE) {
      gate_part += gates[walk.part];
    }
  }
  sums[walk.part] = sum_part;
  dots[walk.part] = dot_part;
  if (GATE) {
    gates[walk.part] = gate_part;
  }
}

@compute @workgroup_size(64)
fn backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let walk = walk(workgroup_number(workgroup, workgroups) * 64u + local);
  if (!walk.inside) {
    return;
  }
  let norm = norm_of(walk);
  let count = affine_at(COUNT, walk.at);
  let s = affine_at(RSTD, walk.at);
  let average = all_sums[walk.at] / count;
  let turn = s * s * all_dots[walk.at] / count;
  for (var r = walk.begin; r < walk.end; r++) {
    let at = (r - params.first) * params.columns + walk.c;
    let value = norm.scale * (through_norm[at] - average - centred_at(at, norm) * turn);
    dx[at] = select(Number(), value, r < norm.beyond);
  }
}
