import { assertEquals, assertThrows } from "@std/assert";
import { Kernel } from "../../tensor/kernel.ts";

const source = `
// @group(0) @binding(9) var<storage, read> ghost: array<f32>;
struct Params {
  n: u32, // elements, of x
  shift: i32, /* signed */
  factor: f32,
}
override WIDTH: u32 = 4;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4)
var picture: texture_storage_2d<rgba32float, read>;
@group(0) @binding(5) var drawn : texture_storage_2d<rgba32float, write>;
var<workgroup> shared_x: array<f32, 64>;

fn load(i: u32) -> f32 { return x[i]; }
fn twice(i: u32) -> f32 { if (i > 0u) { return load(i) + load(i - 1u); } return load(i); }

@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  y[id.x] = twice(id.x) * params.factor;
}
@compute @workgroup_size(64) fn clear(@builtin(global_invocation_id) id: vec3u) { y[id.x] = 0.0; }
@compute @workgroup_size(64) fn draw(@builtin(global_invocation_id) id: vec3u) {
  let v = textureLoad(picture, id.xy, 0);
  let params_of_my_own = v.y; // .x of a vector is no binding
  textureStore(drawn, id.xy, v + params_of_my_own);
}
`;

const kernel = new Kernel("sample", source);
const names = (entry: string) => kernel.used(entry).map(({ name }) => name);

Deno.test("a kernel reads the bindings from the text, not from comments", () => {
  assertEquals(kernel.bindings, [
    { name: "x", index: 0, kind: "read" },
    { name: "y", index: 1, kind: "write" },
    { name: "params", index: 3, kind: "uniform" },
    { name: "picture", index: 4, kind: "texture-read", format: "rgba32float" },
    { name: "drawn", index: 5, kind: "texture-write", format: "rgba32float" },
  ]);
});

Deno.test("an entry point binds the variables that it and the functions it calls use", () => {
  assertEquals(names("main"), ["x", "y", "params"]);
  assertEquals(names("clear"), ["y"]);
  assertEquals(names("draw"), ["picture", "drawn"]);
  assertThrows(
    () => kernel.used("missing"),
    TypeError,
    'Cannot run sample as it has no entry point of that name: "missing"',
  );
});

Deno.test("helpers are appended to the text", () => {
  const helper = "fn half(x: f32) -> f32 { return x * 0.5 * scales[0]; }";
  const binding = "@group(0) @binding(0) var<storage> scales: array<f32>;";
  const whole = new Kernel("helped", `${binding}\n@compute @workgroup_size(1) fn main() { _ = half(1.0); }`, [
    helper,
  ]);
  assertEquals(whole.source.endsWith(helper), true);
  assertEquals(whole.used("main"), [{ name: "scales", index: 0, kind: "read" }]);
});

Deno.test("a device with subgroups has another helper", () => {
  const [text, plain] = ["fn main() {}\n", "fn plain() {}"];
  const both = { without: "fn tree() {}", with: "fn subgroups() {}" };
  const kernel = new Kernel("helped", text, [plain, both]);
  assertEquals(kernel.source, `${text}\n${plain}\n${both.without}`);
  assertEquals(kernel.subgroupSource, `${text}\n${plain}\n${both.with}`);
  const same = new Kernel("same", text, [plain]);
  assertEquals(same.subgroupSource, null);
});

Deno.test("Params are written in the order and types of the text", () => {
  assertEquals(kernel.params, [
    { name: "n", type: "u32" },
    { name: "shift", type: "i32" },
    { name: "factor", type: "f32" },
  ]);
  const view = new DataView(new ArrayBuffer(20));
  kernel.writeParams(view, 4, { factor: -0.5, n: 0xffffffff, shift: -3 });
  assertEquals([view.getUint32(4, true), view.getInt32(8, true), view.getFloat32(12, true)], [
    0xffffffff,
    -3,
    -0.5,
  ]);
  assertEquals([view.getUint32(0, true), view.getUint32(16, true)], [0, 0]);
});

Deno.test("values that do not fit Params are refused by name", () => {
  const view = new DataView(new ArrayBuffer(16));
  const write = (values: Record<string, number>) => () => kernel.writeParams(view, 0, values);
  const right = { n: 1, shift: 2, factor: 3 };
  const cases: [Record<string, number>, string][] = [
    [{ n: 1, shift: 2 }, "Cannot run sample as Params.factor must be f32: found undefined"],
    [{ ...right, n: -1 }, "Cannot run sample as Params.n must be u32: found -1"],
    [{ ...right, n: 2 ** 32 }, "Cannot run sample as Params.n must be u32: found 4294967296"],
    [{ ...right, shift: 0.5 }, "Cannot run sample as Params.shift must be i32: found 0.5"],
    [{ ...right, factor: NaN }, "Cannot run sample as Params.factor must be f32: found NaN"],
    [{ ...right, extra: 1 }, "Cannot run sample as Params has no such field: extra"],
  ];
  for (const [values, message] of cases) assertThrows(write(values), TypeError, message);
  write(right)();
});

Deno.test("a field of Params that is not a scalar is refused", () => {
  assertThrows(
    () => new Kernel("wide", "struct Params { n: u32, size: vec2u }"),
    SyntaxError,
    'Cannot read Params of wide as its fields must be u32, i32 or f32: found "size: vec2u"',
  );
  assertEquals(new Kernel("none", "@compute @workgroup_size(1) fn main() {}").params, []);
});
