// What the adapter can do at most. `arithmetic` does 8 × 4 × ROUNDS multiply–adds in each invocation, in eight chains that do
// not depend on each other; `memory` copies x to y.

const ROUNDS = 512u;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn arithmetic(@builtin(global_invocation_id) id: vec3u) {
  let a = x[0];
  let b = x[1];
  var s0 = a; var s1 = a + 1.0; var s2 = a + 2.0; var s3 = a + 3.0;
  var s4 = a + 4.0; var s5 = a + 5.0; var s6 = a + 6.0; var s7 = a + 7.0;
  for (var i = 0u; i < ROUNDS; i++) {
    s0 = fma(s0, a, b); s1 = fma(s1, a, b); s2 = fma(s2, a, b); s3 = fma(s3, a, b);
    s4 = fma(s4, a, b); s5 = fma(s5, a, b); s6 = fma(s6, a, b); s7 = fma(s7, a, b);
  }
  y[id.x % arrayLength(&y)] = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7;
}

@compute @workgroup_size(256)
fn memory(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let i = id.y * workgroups.x * 256u + id.x;
  if (i < arrayLength(&y)) {
    y[i] = x[i];
  }
}
