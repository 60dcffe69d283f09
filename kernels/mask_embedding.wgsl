// y[f, c] = e[c] for frames f with mask[f] not 0, x[f, c] for the others.
// dx[f, c] = dy[f, c], 0 in masked frames;  de[c] = Σ dy[f, c] over the masked frames.
// Entry point `forward` writes `y`; `backward` writes `dx`; `embedding` writes `de` for each block of BLOCK frames, which
// reduce_rows adds up.

struct Params {
  n: u32, // Numbers of a window of x; in `embedding`, its frames
  first: u32, // index of the first; in `embedding`, the first block of de to write
  columns: u32, // Numbers of a frame
}

const BLOCK = 64u;

@group(0) @binding(0) var<storage, read> x: array<Number>;
@group(0) @binding(1) var<storage, read> e: array<Number>;
@group(0) @binding(2) var<storage, read> mask: array<u32>; // i32 or f32: all bits of 0 are 0 in both
@group(0) @binding(3) var<storage, read_write> y: array<Number>;
@group(0) @binding(4) var<storage, read> dy: array<Number>;
@group(0) @binding(5) var<storage, read_write> dx: array<Number>;
@group(0) @binding(6) var<storage, read_write> de: array<Number>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(256)
fn forward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 256u + local;
  if (i >= params.n) {
    return;
  }
  let at = params.first + i;
  if (mask[at / params.columns] != 0u) {
    y[i] = e[at % params.columns];
  } else {
    y[i] = x[i];
  }
}

@compute @workgroup_size(256)
fn backward(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_number(workgroup, workgroups) * 256u + local;
  if (i >= params.n) {
    return;
  }
  if (mask[(params.first + i) / params.columns] != 0u) {
    dx[i] = Number();
  } else {
    dx[i] = dy[i];
  }
}

@compute @workgroup_size(64)
fn embedding(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = workgroup_number(workgroup, workgroups) * 64u + local;
  let block = number / params.columns;
  let c = number % params.columns;
  let end = min((block + 1u) * BLOCK, params.n);
  if (block * BLOCK >= end) {
    return;
  }
  var sum = Number();
  for (var f = block * BLOCK; f < end; f++) {
    if (mask[f] != 0u) {
      sum += dy[f * params.columns + c];
    }
  }
  de[(params.first + block) * params.columns + c] = sum;
}
