// How `gemm_tile.wgsl` reads an operand and stages it. `gemm_tile_text.ts` puts this text twice into the shader, with `a` and `b` for `operand`
// and A and B for OPERAND.
//
// An invocation stages one or two fours of a slice, of four terms of a row or four rows of a term as they lie in memory. What
// lies past the last row is anything: it is multiplied into what is not written. So that all loads are under way at once,
// there are no branches around them, and nothing is indexed by a variable, which drivers would keep in memory.

const OPERAND_WIDTH = OPERAND_PLACES * OPERAND_BLOCKS; // fours of a staged line, all rows of the tile
const OPERAND_SHARE = OPERAND_WIDTH * TERMS / INVOCATIONS; // fours of an invocation

// What is staged. Where all indices but that of the place are constants, addresses differ by constants.
var<workgroup> operand_tile: array<
  array<array<array<array<vec4f, OPERAND_PLACES>, OPERAND_BLOCKS>, DEPTH>, GROUPS>,
  SLICES,
>;

// First row and term of the first four of an invocation in a slice. Neighbours take what lies side by side.
fn row_in_operand(invocation: u32) -> u32 {
  return select(invocation % OPERAND_WIDTH * 4u, invocation / (TERMS / 4u), OPERAND_ALONG_K);
}

fn term_in_operand(invocation: u32) -> u32 {
  return select(invocation / OPERAND_WIDTH, invocation % (TERMS / 4u) * 4u, OPERAND_ALONG_K);
}

// Rows and terms from one of its fours to the next, of which one is 0.
fn rows_between_operand() -> u32 {
  return select(0u, INVOCATIONS / (TERMS / 4u), OPERAND_ALONG_K);
}

fn terms_between_operand() -> u32 {
  return select(INVOCATIONS / OPERAND_WIDTH, 0u, OPERAND_ALONG_K);
}

// Its element of row `line` and term k.
fn place_of_operand(line: u32, k: u32, k_end: u32, z1: u32, z2: u32) -> Place {
  let k1 = select(0u, k / params.k2, TAPS);
  let k2 = k - k1 * params.k2;
  let y = params.operand_y0 + i32(select(k2, line, OPERAND_ALONG_K)) * params.operand_step + i32(k1) * params.operand_tap +
    i32(z2) * params.operand_z2_step;
  return Place(
    params.operand_base + i32(z1 * params.operand_z1 + z2 * params.operand_z2 + k1 * params.operand_k1),
    y,
    select(line, k2, OPERAND_ALONG_K),
    (k < k_end) & (bitcast<u32>(y) < bitcast<u32>(params.operand_height)),
  );
}

fn one_of_operand(line: u32, k: u32, k_end: u32, z1: u32, z2: u32) -> OPERAND {
  let place = place_of_operand(line, k, k_end, z1, z2);
  let at = u32(place.image + place.y * i32(params.operand_row)) + place.x;
  return select(OPERAND(), operand[at / 4u][at % 4u], place.inside);
}

// Address of the four that begins there, counted in fours.
fn address_in_operand(place: Place) -> u32 {
  return u32((place.image >> 2u) + place.y * i32(params.operand_row >> 2u) + i32(place.x >> 2u));
}

// Four elements that lie side by side, from this one on.
fn four_of_operand(line: u32, k: u32, k_end: u32, z1: u32, z2: u32) -> vec4<OPERAND> {
  if (OPERAND_FOURS) {
    let place = place_of_operand(line, k, k_end, z1, z2);
    return select(vec4<OPERAND>(), operand[address_in_operand(place)], place.inside);
  } else {
    let along = select(0u, 1u, OPERAND_ALONG_K);
    let down = 1u - along;
    return vec4<OPERAND>(
      one_of_operand(line, k, k_end, z1, z2),
      one_of_operand(line + down, k + along, k_end, z1, z2),
      one_of_operand(line + 2u * down, k + 2u * along, k_end, z1, z2),
      one_of_operand(line + 3u * down, k + 3u * along, k_end, z1, z2),
    );
  }
}

// Address of the first of an invocation's fours of the slice from row `line` and term k on.
fn first_in_operand(invocation: u32, line: u32, k: u32, z1: u32, z2: u32) -> u32 {
  let place = place_of_operand(line + row_in_operand(invocation), k + term_in_operand(invocation), k, z1, z2);
  return address_in_operand(place);
}

// Distance to the same of the next slice.
fn step_of_operand() -> u32 {
  return select(TERMS * u32(params.operand_step) * (params.operand_row >> 2u), TERMS / 4u, OPERAND_ALONG_K);
}

// Number `i` of its fours.
fn load_four_of_operand(at: u32, i: u32, invocation: u32, line: u32, k: u32, k_end: u32, z1: u32, z2: u32) -> vec4<Next> {
  let rows = i * rows_between_operand();
  let terms = i * terms_between_operand();
  if (OPERAND_DIRECT) {
    return vec4<Next>(operand[at + (rows + terms) * u32(params.operand_step) * (params.operand_row >> 2u)]);
  } else {
    let row = line + row_in_operand(invocation) + rows;
    let term = k + term_in_operand(invocation) + terms;
    return vec4<Next>(four_of_operand(row, term, k_end, z1, z2));
  }
}

// Its fours of the slice from row `line` and term k on.
fn load_operand(at: u32, invocation: u32, line: u32, k: u32, k_end: u32, z1: u32, z2: u32) -> mat2x4<Next> {
  var loaded = mat2x4<Next>();
  loaded[0] = load_four_of_operand(at, 0u, invocation, line, k, k_end, z1, z2);
  if (OPERAND_SHARE > 1u) {
    loaded[1] = load_four_of_operand(at, 1u, invocation, line, k, k_end, z1, z2);
  }
  return loaded;
}

// Four terms are four lines: of a term each, or, where an operand lies along k, of every fourth row each.
fn stage_four_of_operand(slice: u32, i: u32, invocation: u32, loaded: vec4<Next>) {
  let row = row_in_operand(invocation);
  let term = term_in_operand(invocation);
  let places = i * rows_between_operand() / 4u;
  let terms = i * terms_between_operand();
  let group = term / DEPTH + terms / DEPTH;
  let line = term % DEPTH + row % 4u + terms % DEPTH;
  let block = row / 4u / OPERAND_PLACES + places / OPERAND_PLACES;
  let place = row / 4u % OPERAND_PLACES + places % OPERAND_PLACES;
  operand_tile[slice][group][line][block][place] = vec4f(loaded);
}

fn stage_operand(slice: u32, invocation: u32, loaded: mat2x4<Next>) {
  stage_four_of_operand(slice, 0u, invocation, loaded[0]);
  if (OPERAND_SHARE > 1u) {
    stage_four_of_operand(slice, 1u, invocation, loaded[1]);
  }
}

// Four terms from k on, of four rows. To turn them is to call registers by other names.
fn block_of_operand(slice: u32, group: u32, k: u32, block: u32, place: u32) -> mat4x4f {
  let lines = mat4x4f(
    operand_tile[slice][group][k][block][place],
    operand_tile[slice][group][k + 1u][block][place],
    operand_tile[slice][group][k + 2u][block][place],
    operand_tile[slice][group][k + 3u][block][place],
  );
  if (OPERAND_ALONG_K) {
    return transpose(lines);
  } else {
    return lines;
  }
}

// Four by four numbers that an invocation passes on; where two slices of two groups were staged there is room for all of them.
fn pass_on_operand(invocation: u32, block: mat4x4f) {
  pass_on_four_of_operand(invocation, block[0]);
  pass_on_four_of_operand(invocation + INVOCATIONS, block[1]);
  pass_on_four_of_operand(invocation + 2u * INVOCATIONS, block[2]);
  pass_on_four_of_operand(invocation + 3u * INVOCATIONS, block[3]);
}

fn passed_operand(invocation: u32) -> mat4x4f {
  return mat4x4f(
    passed_four_of_operand(invocation),
    passed_four_of_operand(invocation + INVOCATIONS),
    passed_four_of_operand(invocation + 2u * INVOCATIONS),
    passed_four_of_operand(invocation + 3u * INVOCATIONS),
  );
}

fn pass_on_four_of_operand(at: u32, four: vec4f) {
  let line = at / OPERAND_WIDTH;
  let place = at % OPERAND_WIDTH;
  operand_tile[line / TERMS][line / DEPTH % GROUPS][line % DEPTH][place / OPERAND_PLACES][place % OPERAND_PLACES] = four;
}

fn passed_four_of_operand(at: u32) -> vec4f {
  let line = at / OPERAND_WIDTH;
  let place = at % OPERAND_WIDTH;
  return operand_tile[line / TERMS][line / DEPTH % GROUPS][line % DEPTH][place / OPERAND_PLACES][place % OPERAND_PLACES];
}
