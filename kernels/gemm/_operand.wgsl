// Appended to the tile kernel, once for A and once for B: loads an operand from memory and stages it in workgroup memory.
// ${x} is the operand's name. "Row" is an index along m (of A) or n (of B).
//
// An invocation stages one or two vec4s of a K-tile: four k of a row, or four rows of a k, as they lie in memory. Values past
// the last row are undefined: they only reach elements that are not written. So that all loads are in flight at once, there are
// no branches around them, and no variable indexes a matrix, which drivers would keep in memory.

const ${X}_WIDTH = ${X}_PLACES * ${X}_BLOCKS; // vec4s of a staged line: all rows of the tile

// The staged K-tiles. Where all indices except the place are constant, addresses differ by constants.
var<workgroup> ${x}_tile: array<
  array<array<array<array<vec4f, ${X}_PLACES>, ${X}_BLOCKS>, GROUP_K>, SLICE_K>,
  BUFFERS,
>;

// First row and k of an invocation's first vec4 in a K-tile. Neighbouring invocations take neighbouring addresses.
fn first_row_${x}(invocation: u32) -> u32 {
  return select(invocation % ${X}_WIDTH * 4u, invocation / (TILE_K / 4u), ${X}_ALONG_K);
}

fn first_k_${x}(invocation: u32) -> u32 {
  return select(invocation / ${X}_WIDTH, invocation % (TILE_K / 4u) * 4u, ${X}_ALONG_K);
}

// Rows and k from an invocation's first vec4 to its second; one of the two is 0.
fn row_step_${x}() -> u32 {
  return select(0u, INVOCATIONS / (TILE_K / 4u), ${X}_ALONG_K);
}

fn k_step_${x}() -> u32 {
  return select(INVOCATIONS / ${X}_WIDTH, 0u, ${X}_ALONG_K);
}

// Where the element of a row and k is.
fn locate_${x}(row: u32, k: u32, k_end: u32, z1: u32, z2: u32) -> Place {
  let k1 = select(0u, k / params.k2, TAPS);
  let k2 = k - k1 * params.k2;
  let y = params.${x}_y0 + i32(select(k2, row, ${X}_ALONG_K)) * params.${x}_step + i32(k1) * params.${x}_tap +
    i32(z2) * params.${x}_z2_step;
  return Place(
    params.${x}_base + i32(z1 * params.${x}_z1 + z2 * params.${x}_z2 + k1 * params.${x}_k1),
    y,
    select(row, k2, ${X}_ALONG_K),
    (k < k_end) & (bitcast<u32>(y) < bitcast<u32>(params.${x}_height)),
  );
}

// Address of the vec4 that starts at a place, in vec4s.
fn vec4_address_${x}(place: Place) -> u32 {
  return u32((place.image >> 2u) + place.y * i32(params.${x}_row >> 2u) + i32(place.x >> 2u));
}

//#if !${X}_UNCHECKED
//#if !${X}_VEC4
fn load_scalar_${x}(row: u32, k: u32, k_end: u32, z1: u32, z2: u32) -> ${X} {
  let place = locate_${x}(row, k, k_end, z1, z2);
  let at = u32(place.image + place.y * i32(params.${x}_row)) + place.x;
  return select(${X}(), ${x}[at / 4u][at % 4u], place.inside);
}

//#end
// Four neighbouring elements from this one on, along the rows of the image.
fn load_vec4_${x}(row: u32, k: u32, k_end: u32, z1: u32, z2: u32) -> vec4<${X}> {
  //#if ${X}_VEC4
  let place = locate_${x}(row, k, k_end, z1, z2);
  return select(vec4<${X}>(), ${x}[vec4_address_${x}(place)], place.inside);
  //#else
  let along = select(0u, 1u, ${X}_ALONG_K);
  let down = 1u - along;
  return vec4<${X}>(
    load_scalar_${x}(row, k, k_end, z1, z2),
    load_scalar_${x}(row + down, k + along, k_end, z1, z2),
    load_scalar_${x}(row + 2u * down, k + 2u * along, k_end, z1, z2),
    load_scalar_${x}(row + 3u * down, k + 3u * along, k_end, z1, z2),
  );
  //#end
}

//#end
// Address of an invocation's first vec4 in the K-tile at `row` and k, for loads without checks.
fn first_address_${x}(invocation: u32, row: u32, k: u32, z1: u32, z2: u32) -> u32 {
  return vec4_address_${x}(locate_${x}(row + first_row_${x}(invocation), k + first_k_${x}(invocation), k, z1, z2));
}

// Vec4s from there to the same in the next K-tile.
fn address_step_${x}() -> u32 {
  return select(TILE_K * u32(params.${x}_step) * (params.${x}_row >> 2u), TILE_K / 4u, ${X}_ALONG_K);
}

// An invocation's vec4 number `i` of the K-tile at `row` and k.
fn load_share_${x}(at: u32, i: u32, invocation: u32, row: u32, k: u32, k_end: u32, z1: u32, z2: u32) -> vec4<Loaded> {
  let rows = i * row_step_${x}();
  let ks = i * k_step_${x}();
  //#if ${X}_UNCHECKED
  return vec4<Loaded>(${x}[at + (rows + ks) * u32(params.${x}_step) * (params.${x}_row >> 2u)]);
  //#else
  let first_row = row + first_row_${x}(invocation);
  let first_k = k + first_k_${x}(invocation);
  return vec4<Loaded>(load_vec4_${x}(first_row + rows, first_k + ks, k_end, z1, z2));
  //#end
}

// All of an invocation's vec4s.
fn load_${x}(at: u32, invocation: u32, row: u32, k: u32, k_end: u32, z1: u32, z2: u32) -> mat2x4<Loaded> {
  var loaded = mat2x4<Loaded>();
  //#for i in 0..${X}_SHARE
  loaded[${i}] = load_share_${x}(at, ${i}u, invocation, row, k, k_end, z1, z2);
  //#end
  return loaded;
}

// Four k are four lines: of one k each or, where the operand lies along k, of every fourth row each.
fn stage_share_${x}(buffer: u32, i: u32, invocation: u32, loaded: vec4<Loaded>) {
  let row = first_row_${x}(invocation);
  let k = first_k_${x}(invocation);
  let places = i * row_step_${x}() / 4u;
  let ks = i * k_step_${x}();
  let group = k / GROUP_K + ks / GROUP_K;
  let line = k % GROUP_K + row % 4u + ks % GROUP_K;
  let block = row / 4u / ${X}_PLACES + places / ${X}_PLACES;
  let place = row / 4u % ${X}_PLACES + places % ${X}_PLACES;
  ${x}_tile[buffer][group][line][block][place] = vec4f(loaded);
}

fn stage_${x}(buffer: u32, invocation: u32, loaded: mat2x4<Loaded>) {
  //#for i in 0..${X}_SHARE
  stage_share_${x}(buffer, ${i}u, invocation, loaded[${i}]);
  //#end
}

// Four k from k on, as the matrix's columns, of four rows. The transpose only renames registers.
fn block_of_${x}(buffer: u32, group: u32, k: u32, block: u32, place: u32) -> mat4x4f {
  let lines = mat4x4f(
    ${x}_tile[buffer][group][k][block][place],
    ${x}_tile[buffer][group][k + 1u][block][place],
    ${x}_tile[buffer][group][k + 2u][block][place],
    ${x}_tile[buffer][group][k + 3u][block][place],
  );
  //#if ${X}_ALONG_K
  return transpose(lines);
  //#else
  return lines;
  //#end
}

//#if SLICE_K > 1
// Exchange of 4×4 blocks between invocations, through the memory of the staged tiles: two buffers of two groups have room for a
// block of each invocation.
fn send_${x}(invocation: u32, block: mat4x4f) {
  send_vec4_${x}(invocation, block[0]);
  send_vec4_${x}(invocation + INVOCATIONS, block[1]);
  send_vec4_${x}(invocation + 2u * INVOCATIONS, block[2]);
  send_vec4_${x}(invocation + 3u * INVOCATIONS, block[3]);
}

fn receive_${x}(invocation: u32) -> mat4x4f {
  return mat4x4f(
    receive_vec4_${x}(invocation),
    receive_vec4_${x}(invocation + INVOCATIONS),
    receive_vec4_${x}(invocation + 2u * INVOCATIONS),
    receive_vec4_${x}(invocation + 3u * INVOCATIONS),
  );
}

fn send_vec4_${x}(at: u32, sent: vec4f) {
  let line = at / ${X}_WIDTH;
  let place = at % ${X}_WIDTH;
  ${x}_tile[line / TILE_K][line / GROUP_K % SLICE_K][line % GROUP_K][place / ${X}_PLACES][place % ${X}_PLACES] = sent;
}

fn receive_vec4_${x}(at: u32) -> vec4f {
  let line = at / ${X}_WIDTH;
  let place = at % ${X}_WIDTH;
  return ${x}_tile[line / TILE_K][line / GROUP_K % SLICE_K][line % GROUP_K][place / ${X}_PLACES][place % ${X}_PLACES];
}
//#end
