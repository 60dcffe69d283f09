// A user's program that runs in a browser and in Node alike. It is plain JavaScript, as Node 20 reads no TypeScript.

/**
 * Uses the library as its users do.
 *
 * @param library its exports
 * @param webgpu GPU object; in a browser undefined
 * @param read reads a file of the test by name, as bytes
 * @returns what to compare, as JSON
 */
export async function use(library, webgpu, read) {
  const { backward, loadModel, matmul, requestGpu, sum } = library;
  const gpu = await requestGpu(webgpu ? { webgpu } : {});
  try {
    const gradient = await gpu.scope(() => {
      const a = gpu.tensor([1, 2, 3, 4], [2, 2]);
      a.requiresGrad = true;
      return backward(sum(matmul(a, a))).get(a);
    }).read();
    const files = {};
    for (const name of ["config.json", "preprocessor_config.json", "vocab.json", "model.safetensors"]) {
      files[name] = await read(name);
    }
    const samples = new Float32Array((await read("speech.f32")).slice().buffer);
    const model = await loadModel({ files }, { gpu });
    const { text, words } = await model.transcribe(samples);
    model.dispose();
    return { adapter: gpu.name, gradient: [...gradient], text, words };
  } finally {
    gpu.destroy();
  }
}
