// Loaded before tests by `deno test --preload`: appends each pipeline that they compile to the file that ESPALIER_PIPELINES names,
// a line of JSON each. See tests/compiled_test.ts.

/** A compiled entry point. */
export interface Compiled {
  /** Name of its `Kernel`. */
  readonly kernel: string;
  readonly entry: string;
  /** Value of each Boolean `override` constant. */
  readonly constants: Readonly<Record<string, boolean>>;
}

/** Defaults of the Boolean `override` constants of a shader. */
export function booleansOf(code: string): Record<string, boolean> {
  const constants = code.matchAll(/^override (\w+): bool = (true|false);/gm);
  return Object.fromEntries([...constants].map(([, name, value]) => [name!, value === "true"]));
}

const file = Deno.env.get("ESPALIER_PIPELINES");
if (file) {
  const codes = new WeakMap<GPUShaderModule, string>();
  const known = new Set<string>();
  const { createShaderModule, createComputePipeline } = GPUDevice.prototype;
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    const module = createShaderModule.call(this, descriptor);
    codes.set(module, descriptor.code);
    return module;
  };
  GPUDevice.prototype.createComputePipeline = function (descriptor) {
    const { module, entryPoint, constants = {} } = descriptor.compute;
    const values = booleansOf(codes.get(module)!);
    for (const name in values) if (name in constants) values[name] = Boolean(constants[name]);
    const line = JSON.stringify(
      { kernel: module.label, entry: entryPoint!, constants: values } satisfies Compiled,
    );
    if (!known.has(line)) Deno.writeTextFileSync(file, `${line}\n`, { append: true });
    known.add(line);
    return createComputePipeline.call(this, descriptor);
  };
}
