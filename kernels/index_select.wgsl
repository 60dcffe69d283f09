// For several tensors at once, each read as [rows, middle, columns]: y[r, m, c] = x[rows[r], m, columns[c]], and 0 where an
// index is negative. The pullback runs it with the inverse indices.
// `table` holds ITEM values for each tensor; then, from `groups` on, two for each workgroup: its tensor and its first run; then
// the indices. A run is RUN neighbouring elements of a line. A workgroup computes 64·PER runs, an invocation every 64th of them.
// Entry point `main` writes `y`.

struct Params {
  workgroups: u32,
  groups: u32, // where the workgroups' values start in `table`
}

const ITEM = 8u;

override RUN: u32 = 1; // 1 on a GPU, so that neighbouring invocations load neighbouring elements
override PER: u32 = 16;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> table: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

/// Element `i` of the list at `at`; `i` itself if `at` is negative: no list.
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
  let lines = u32(table[item + 2u]); // rows times middle
  let middle = u32(table[item + 3u]);
  let columns = u32(table[item + 4u]);
  let x_columns = table[item + 5u];
  let rows_at = table[item + 6u];
  let columns_at = table[item + 7u];

  let runs = (columns + RUN - 1u) / RUN; // of a line
  for (var i = 0u; i < PER; i++) {
    let run = u32(table[params.groups + 2u * number + 1u]) + i * 64u + local;
    let line = run / runs;
    if (line >= lines) {
      return;
    }
    let row = entry(rows_at, line / middle);
    let start = x_at + (row * i32(middle) + i32(line % middle)) * x_columns;
    let first = run % runs * RUN;
    for (var c = first; c < min(first + RUN, columns); c++) {
      let column = entry(columns_at, c);
      var value = 0.0;
      if (row >= 0 && column >= 0) {
        value = x[start + column];
      }
      y[y_at + line * columns + c] = value;
    }
  }
}
