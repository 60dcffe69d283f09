// y[b, t, c] = n, gelu(n), n·z[c] or gelu(n)·z[c], of n = (x[b, t, c] − m)·s·w[c] + b[c], with m the mean of channel c over
// the T frames of item b and s = 1/√(variance + eps), biased. With lengths, T is the item's length, and y is 0 beyond it.
// With dn = dy·z·gelu'(n), x̂ = (x − m)·s, and sums over the frames:
//   dx = w·s·(dn − Σ dn/T − x̂·s·Σ dn·(x − m)/T),
//   dw[c] = Σ_b s·Σ dn·(x − m),  db[c] = Σ_b Σ dn,  dz[c] = Σ_b Σ dy·gelu(n).
// The mean that reduce_frames computes is rounded. The mean of x − mean is its rounding error, which is subtracted as well.
// An invocation computes one channel of a part of RUN frames; reduce_frames adds up the sums of the parts. Entry points:
// `moments` writes of each part Σ (x − mean) to `sums` and Σ (x − mean)² to `dots`; `prepare` computes `prepared`, [6, B, C],
// from both; `forward` writes `y`; `through` writes `dn`, unless it is dy, and of each part Σ dn to `sums`, Σ dn·(x − m) to
// `dots` and Σ dy·gelu(n) to `gates`; `backward` writes `dx`. Where x exceeds a binding, a window adds to the part that the
// previous window began.

struct Params {
  rows: u32, // frames of the window, over all items; in `prepare`, Numbers of [B, C]
  first: u32, // index of the first
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

// Rows of `affine`.
const RSTD = 0u; // s
const MEAN = 1u; // m, rounded
const OFF = 2u; // its rounding error
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

// The part of a channel that an invocation computes. It is empty (`begin` >= `end`) beyond the last one.
struct Part {
  column: u32, // Number of a frame
  begin: u32, // first row, over all items
  end: u32, // one past the last
  start: u32, // first row of the item
  item: u32,
  norm: u32, // address in [B, C]
  to: u32, // address of the part's sums
  continued: bool, // whether the previous window began it
}

fn part_of(workgroup: u32, local: u32) -> Part {
  let number = workgroup * 64u + local;
  let part = params.part + number / params.columns;
  let column = number % params.columns;
  let parts = (params.frames + RUN - 1u) / RUN; // of an item
  let item = part / parts;
  let row = item * params.frames + part % parts * RUN;
  let last = min(params.first + params.rows, (item + 1u) * params.frames);
  let known = min(item, params.items - 1u);
  return Part(
    column,
    max(row, params.first),
    min(row + RUN, last),
    item * params.frames,
    known,
    known * params.columns + column,
    part * params.columns + column,
    row < params.first,
  );
}

/// Address of a row of a part in the window.
fn address(part: Part, row: u32) -> u32 {
  return (row - params.first) * params.columns + part.column;
}

/// Valid frames of an item.
fn length_of(item: u32) -> u32 {
  if (LENGTHS) {
    return lengths[item];
  }
  return params.frames;
}

fn affine_at(k: u32, at: u32) -> Number {
  return affine[k * params.items * params.columns + at];
}

// The norm of a channel of an item, as `prepare` computed it.
struct Norm {
  beyond: u32, // first row of the item that is padding
  m: Number,
  off: Number,
  scale: Number,
  shift: Number,
}

fn norm_of(part: Part) -> Norm {
  let count = total(affine_at(COUNT, part.norm)) / total(Number(1.0));
  return Norm(
    part.start + u32(count),
    affine_at(MEAN, part.norm),
    affine_at(OFF, part.norm),
    affine_at(SCALE, part.norm),
    affine_at(SHIFT, part.norm),
  );
}

/// x − m.
fn centred_at(at: u32, norm: Norm) -> Number {
  return (x[at] - norm.m) - norm.off;
}

/// n of a centred element.
fn normed(centred: Number, norm: Norm) -> Number {
  return centred * norm.scale + norm.shift;
}

fn gate_of(part: Part) -> Number {
  if (GATE) {
    return gate[part.column];
  }
  return Number(1.0);
}

/// Writes the sums of a part, or adds them to those of the previous window.
fn put_sums(part: Part, sum: Number, dot: Number) {
  if (part.begin >= part.end) {
    return;
  }
  if (part.continued) {
    sums[part.to] = sum + sums[part.to];
    dots[part.to] = dot + dots[part.to];
  } else {
    sums[part.to] = sum;
    dots[part.to] = dot;
  }
}

@compute @workgroup_size(64)
fn moments(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let part = part_of(workgroup_number(workgroup, workgroups), local);
  let m = mean[part.norm];
  let end = min(part.end, part.start + length_of(part.item));
  var sum = Number();
  var dot = Number();
  for (var r = part.begin; r < end; r++) {
    let d = x[address(part, r)] - m;
    sum += d;
    dot += d * d;
  }
  put_sums(part, sum, dot);
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
  let part = part_of(workgroup_number(workgroup, workgroups), local);
  let norm = norm_of(part);
  let z = gate_of(part);
  for (var r = part.begin; r < part.end; r++) {
    let at = address(part, r);
    var value = normed(centred_at(at, norm), norm);
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
  let part = part_of(workgroup_number(workgroup, workgroups), local);
  let norm = norm_of(part);
  let z = gate_of(part);
  var sum = Number();
  var dot = Number();
  var gate_sum = Number();
  for (var r = part.begin; r < part.end; r++) {
    let at = address(part, r);
    let d = select(Number(), dy[at], r < norm.beyond);
    let centred = centred_at(at, norm);
    var back = d * z;
    if (GELU || GATE) {
      let n = normed(centred, norm);
      var a = n;
      if (GELU) {
        a = gelu(n);
        back *= gelu_slope(n);
      }
      gate_sum += d * a;
      dn[at] = back;
    }
    sum += back;
    dot += back * centred;
  }
  put_sums(part, sum, dot);
  if (GATE && part.begin < part.end) {
    if (part.continued) {
      gate_sum += gates[part.to];
    }
    gates[part.to] = gate_sum;
  }
}

@compute @workgroup_size(64)
fn backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let part = part_of(workgroup_number(workgroup, workgroups), local);
  let norm = norm_of(part);
  let count = affine_at(COUNT, part.norm);
  let s = affine_at(RSTD, part.norm);
  let average = all_sums[part.norm] / count;
  let turn = s * s * all_dots[part.norm] / count;
  for (var r = part.begin; r < part.end; r++) {
    let at = address(part, r);
    let value = norm.scale * (through_norm[at] - average - centred_at(at, norm) * turn);
    dx[at] = select(Number(), value, r < norm.beyond);
  }
}
