// Packs the rows of a GEMM operand that are not aligned to four elements into whole texels, which form one line: texel t of row y
// of image i goes to address (i·rows + y)·texels + t. Images are ordered by (z1, z2, k1), the last fastest. Elements of a row's
// last texel past the end of the row are zero. X is the type of the elements, f32 or f16. Writes `packed`; an invocation
// writes 16 texels of a row, or several short rows: on a CPU, finding a row takes longer than copying a texel.

struct Params {
  columns: u32, // elements of a row
  texels: u32, // texels of a row
  chunks: u32, // chunks of a row
  run: u32, // rows of an invocation
  height: u32, // rows of all images
  rows: u32, // rows of an image
  n2: u32, // distinct images along z2
  nk: u32, // distinct images along k1
  base: u32, // address of the first image in x
  z1: u32, // address strides of the images
  z2: u32,
  k1: u32,
  row: u32, // address stride of a row
  column_bits: u32, // bits of a texel's address that are its column in the texture
}

const CHUNK = 16u;

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var packed: texture_storage_2d<X_TEXEL, write>;
@group(0) @binding(2) var<uniform> params: Params;

/// Address of an image.
fn start_of(image: u32) -> u32 {
  let z = image / params.nk;
  let k1 = image - z * params.nk;
  let z1 = z / params.n2;
  let z2 = z - z1 * params.n2;
  return params.base + z1 * params.z1 + z2 * params.z2 + k1 * params.k1;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = workgroup_number(workgroup, workgroups) * 64u + local;
  let line = number / params.chunks;
  let first = (number - line * params.chunks) * CHUNK;
  let width = min(CHUNK, params.texels - first);
  let end = min((line + 1u) * params.run, params.height);
  var image = line * params.run / params.rows;
  var y = line * params.run - image * params.rows;
  var at = start_of(image) + y * params.row + first * 4u;
  for (var r = line * params.run; r < end; r++) {
    if (y == params.rows) {
      y = 0u;
      image++;
      at = start_of(image) + first * 4u;
    }
    var source = at;
    var texel = r * params.texels + first;
    let last = texel + width;
    for (; texel < last; texel++) {
      let coordinates = vec2u(extractBits(texel, 0u, params.column_bits), texel >> params.column_bits);
      let elements = vec4<X>(x[source], x[source + 1u], x[source + 2u], x[source + 3u]);
      let inside = vec4u(0u, 1u, 2u, 3u) + (first * 4u + source - at) < vec4u(params.columns);
      textureStore(packed, coordinates, vec4f(select(vec4<X>(), elements, inside)));
      source += 4u;
    }
    y++;
    at += params.row;
  }
}
