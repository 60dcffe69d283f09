// Packs the images of one operand of a product into a float texture, four numbers of a row a texel, with zeros
// where an image ends: texture row r holds row y = first + r mod rows of image r div rows. Images are numbered by
// (z1, z2, k1), the last fastest. Writes `packed`.

struct Params {
  texels: u32, // texels of a row
  height: u32, // texture rows to write
  rows: u32, // texture rows of an image
  first: i32, // image row of its first texture row
  image_height: i32, // rows that the image has; others are zero
  image_width: u32, // numbers of a row
  n2: u32, // distinct images along z2
  nk: u32, // distinct images along k1
  base: u32, // address of the first image in x
  z1: u32, // address strides of the images
  z2: u32,
  k1: u32,
  row: u32, // address stride of a row
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var packed: texture_storage_2d<rgba32float, write>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = workgroup_number(workgroup, workgroups) * 64u + local;
  let texel = number % params.texels;
  let r = number / params.texels;
  if (r >= params.height) {
    return;
  }
  let image = r / params.rows;
  let y = params.first + i32(r % params.rows);
  let k1 = image % params.nk;
  let z2 = image / params.nk % params.n2;
  let z1 = image / params.nk / params.n2;
  var value = vec4f();
  if (y >= 0 && y < params.image_height) {
    let column = texel * 4u;
    let at = params.base + z1 * params.z1 + z2 * params.z2 + k1 * params.k1 + u32(y) * params.row + column;
    if (column + 3u < params.image_width) {
      value = vec4f(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
    } else {
      value.x = x[at];
      if (column + 1u < params.image_width) {
        value.y = x[at + 1u];
      }
      if (column + 2u < params.image_width) {
        value.z = x[at + 2u];
      }
    }
  }
  textureStore(packed, vec2u(texel, r), value);
}
