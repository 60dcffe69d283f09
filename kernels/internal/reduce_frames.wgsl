// One pass of a sum over the frames of each item: y[b, k, c] = Σ_t v(x[b, t, c]) over the frames t of part k. A part is SPAN
// blocks of BLOCK frames; every block is summed by itself. v(x) is x, squared (SQUARE), times another element (TIMES); with
// lengths, frames beyond them are ignored. One invocation sums one channel of one part, so that neighbouring invocations read
// neighbouring channels and no loop is long; passes over the results follow until each item has one frame.
// Where x exceeds a binding, a window of frames adds to the part that the previous window began.
// Entry point `main` writes `y`; `divide` turns sums over `frames` frames, or over lengths, into means.

struct Params {
  rows: u32, // frames of the window, over all items; in `divide`, Numbers of y
  first: u32, // index of the first
  frames: u32, // frames of an item
  columns: u32, // Numbers of a frame
  part: u32, // first part of the window, over all items
  x_gap: u32, // gap between two items of x, in units of `Number`; 0 in a window
  y_gap: u32, // the same of y
}

const BLOCK = 64u;

override SPAN: u32 = 1u;
override SQUARE: bool = false;
override TIMES: bool = false;
override LENGTHS: bool = false;

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<storage, read> times: array<Number>;
@group(0) @binding(2) var<storage, read> lengths: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<Number>;
@group(0) @binding(4) var<uniform> params: Params;

/// Valid frames of an item.
fn length_of(item: u32) -> u32 {
  if (LENGTHS) {
    return min(lengths[item], params.frames);
  }
  return params.frames;
}

/// v of the element at an address.
fn value(at: u32) -> Number {
  var v = x[at];
  if (SQUARE) {
    v *= v;
  }
  if (TIMES) {
    v *= times[at];
  }
  return v;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = workgroup_number(workgroup, workgroups) * 64u + local;
  let part = params.part + number / params.columns;
  let c = number % params.columns;
  let length_of_part = SPAN * BLOCK;
  let parts = (params.frames + length_of_part - 1u) / length_of_part; // of an item
  let item = part / parts;
  let t = part % parts * length_of_part;
  let row = item * params.frames + t;
  let gaps = item * params.x_gap;
  let last = params.first + params.rows;
  if (row >= last) {
    return;
  }
  let length = length_of(item);
  let end = min(row + select(0u, min(length - t, length_of_part), t < length), last);
  var total = Number();
  var r = max(row, params.first);
  while (r < end) {
    let block_end = min(r + BLOCK - (r - row) % BLOCK, end);
    var sum = Number();
    for (; r + 4u <= block_end; r += 4u) { // four loads in flight at once, added in order
      let at = (r - params.first) * params.columns + c + gaps;
      let other = at + 2u * params.columns;
      sum = sum + value(at) + value(at + params.columns) + value(other) + value(other + params.columns);
    }
    for (; r < block_end; r++) {
      sum += value((r - params.first) * params.columns + c + gaps);
    }
    total += sum;
  }
  let to = part * params.columns + c + item * params.y_gap;
  if (row < params.first) {
    total += y[to];
  }
  y[to] = total;
}

@compute @workgroup_size(64)
fn divide(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 64u + local;
  if (i < params.rows) {
    y[i] = y[i] / f32(max(length_of(i / params.columns), 1u));
  }
}
