// Puts the images of one operand of a product together as a line of texels, four numbers of a row each, where rows
// do not start at every fourth number: texel t of row y of image i gets the number (i·rows + y)·texels + t. Images
// are numbered by (z1, z2, k1), the last fastest. What a row's last texel has beyond the row is not defined. X is the
// type of a number, f32 or f16. Writes `packed`, an invocation a chunk of 16 texels of a row, or some short rows: where its
// lanes run one after another, to find a row takes longer than to move it.

struct Params {
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
  column_bits: u32, // bits of a texel's number that are its column in the surface
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
      let place = vec2u(extractBits(texel, 0u, params.column_bits), texel >> params.column_bits);
      let numbers = vec4<X>(x[source], x[source + 1u], x[source + 2u], x[source + 3u]);
      textureStore(packed, place, vec4f(numbers));
      source += 4u;
    }
    y++;
    at += params.row;
  }
}
