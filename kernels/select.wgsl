// Of several tensors at once, each read as [rows, middle, columns]: y[r, m, c] = x[rows[r], m, columns[c]], and 0 where an index
// is below 0. With the inverse indices it is its own pullback.
// `table` holds ITEM numbers for each tensor; from `groups` on two for each workgroup, its tensor and the first element that it
// does; and the indices. A workgroup does 64·PER elements, an invocation those NEXT apart. Entry point `main` writes `y`.

struct Params {
  workgroups: u32,
  groups: u32, // where the workgroups' numbers start
}

const PER = 16u;
const ITEM = 8u;

override NEXT: u32 = 64u; // 64, or 1 where an invocation does neighbours

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> table: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

/// Number `i` of the list at `at`; `i` itself if there is none.
fn entry(at: i32, i: u32) -> i32 {
  if (at < 0) {
    return i32(i);
  }
  return table[u32(at) + i];
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = workgroup_number(workgroup, workgroups);
  if (number >= params.workgroups) {
    return;
  }
  let item = u32(table[params.groups + 2u * number]) * ITEM;
  let x_at = table[item];
  let y_at = u32(table[item + 1u]);
  let size = u32(table[item + 2u]);
  let middle = u32(table[item + 3u]);
  let columns = u32(table[item + 4u]);
  let x_columns = table[item + 5u];
  let rows_at = table[item + 6u];
  let columns_at = table[item + 7u];

  var e = u32(table[params.groups + 2u * number + 1u]) + local * select(PER, 1u, NEXT == 64u);
  var line = e / columns; // row and middle
  var c = e - line * columns;
  var found = false;
  var row = 0;
  var start = 0;
  for (var i = 0u; i < PER; i++) {
    if (e >= size) {
      return;
    }
    if (!found) {
      row = entry(rows_at, line / middle);
      start = x_at + (row * i32(middle) + i32(line % middle)) * x_columns;
      found = true;
    }
    let column = entry(columns_at, c);
    var value = 0.0;
    if (row >= 0 && column >= 0) {
      value = x[start + column];
    }
    y[y_at + e] = value;
    e += NEXT;
    c += NEXT;
    while (c >= columns) {
      c -= columns;
      line++;
      found = false;
    }
  }
}
