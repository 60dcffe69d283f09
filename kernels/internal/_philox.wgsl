// Appended to shaders that draw random numbers: Philox4x32-10 of Salmon, Moraes, Dror and Shaw ("Parallel random
// numbers: as easy as 1, 2, 3", SC 2011), with the bits of `philox` and `uniformAt` on the host. The key is (seed, purpose); the
// counter is (block low, block high, step, 0), where block i holds elements 4i to 4i + 3 of the stream.

/// Low and high word of a·b, by 16-bit halves.
fn multiply_wide(a: u32, b: u32) -> vec2u {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let carry = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return vec2u(a * b, (a >> 16u) * (b >> 16u) + (middle >> 16u) + (carry >> 16u));
}

fn philox(counter: vec4u, key: vec2u) -> vec4u {
  var words = counter;
  var turn = key;
  for (var round = 0u; round < 10u; round++) {
    let p = multiply_wide(0xd2511f53u, words.x);
    let q = multiply_wide(0xcd9e8d57u, words.z);
    words = vec4u(q.y ^ words.y ^ turn.x, q.x, p.y ^ words.w ^ turn.y, p.x);
    turn += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return words;
}

/// Elements 4·block to 4·block + 3 of a stream, uniform in [0, 1): multiples of 2^-24.
fn uniforms(block: u32, step: u32, key: vec2u) -> vec4f {
  return vec4f(philox(vec4u(block, 0u, step, 0u), key) >> vec4u(8u)) * 0x1p-24f;
}
