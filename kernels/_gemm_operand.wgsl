// How `gemm_tile.wgsl` reads an operand and stages it. `gemm_tile.ts` puts this text twice into the shader, with `a` and `b` for `operand`
// and A and B for OPERAND.
//
// What an invocation stages of it is four terms of four rows. What lies past the last row is anything: it is multiplied into
// what is not written. So that all loads are under way at once, there are no branches around them, and nothing is indexed by
// a variable, which drivers would keep in memory.

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
    OPERAND_INSIDE | ((k < k_end) & (bitcast<u32>(y) < bitcast<u32>(params.operand_height))),
  );
}

fn one_of_operand(line: u32, k: u32, k_end: u32, z1: u32, z2: u32) -> OPERAND {
  let place = place_of_operand(line, k, k_end, z1, z2);
  let at = u32(place.image + place.y * i32(params.operand_row)) + place.x;
  return select(OPERAND(), operand[at / 4u][at % 4u], place.inside);
}

// Four elements that lie side by side, from this one on.
fn four_of_operand(line: u32, k: u32, k_end: u32, z1: u32, z2: u32) -> vec4<OPERAND> {
  if (OPERAND_FOURS) {
    let place = place_of_operand(line, k, k_end, z1, z2);
    let at = (place.image >> 2u) + place.y * i32(params.operand_row >> 2u) + i32(place.x >> 2u);
    return select(vec4<OPERAND>(), operand[at], place.inside);
  }
  let along = select(0u, 1u, OPERAND_ALONG_K);
  let down = 1u - along;
  return vec4<OPERAND>(
    one_of_operand(line, k, k_end, z1, z2),
    one_of_operand(line + down, k + along, k_end, z1, z2),
    one_of_operand(line + 2u * down, k + 2u * along, k_end, z1, z2),
    one_of_operand(line + 3u * down, k + 3u * along, k_end, z1, z2),
  );
}

// As it lies in memory, four rows or four terms, so that it may stay in the registers it is loaded to.
fn load_operand(line: u32, k: u32, k_end: u32, z1: u32, z2: u32) -> mat4x4<Next> {
  let down = select(0u, 1u, OPERAND_ALONG_K);
  let along = 1u - down;
  return mat4x4<Next>(
    vec4<Next>(four_of_operand(line, k, k_end, z1, z2)),
    vec4<Next>(four_of_operand(line + down, k + along, k_end, z1, z2)),
    vec4<Next>(four_of_operand(line + 2u * down, k + 2u * along, k_end, z1, z2)),
    vec4<Next>(four_of_operand(line + 3u * down, k + 3u * along, k_end, z1, z2)),
  );
}

fn stage_operand(group: u32, k: u32, four: u32, loaded: mat4x4<Next>) {
  var block = loaded;
  if (OPERAND_ALONG_K) {
    block = transpose(loaded);
  }
  let at = slot(k, four);
  operand_tile[group][k][at] = vec4f(block[0]);
  operand_tile[group][k + 1u][at] = vec4f(block[1]);
  operand_tile[group][k + 2u][at] = vec4f(block[2]);
  operand_tile[group][k + 3u][at] = vec4f(block[3]);
}

// Number `at` of what is passed on where slices were staged, which has room for it.
fn pass_on_operand(at: u32, numbers: vec4f) {
  operand_tile[at / (OPERAND_WIDTH * DEPTH)][at / OPERAND_WIDTH % DEPTH][at % OPERAND_WIDTH] = numbers;
}

fn passed_operand(at: u32) -> vec4f {
  return operand_tile[at / (OPERAND_WIDTH * DEPTH)][at / OPERAND_WIDTH % DEPTH][at % OPERAND_WIDTH];
}
