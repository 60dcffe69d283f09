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
  const { backward, decodeAudio, loadModel, matmul, prune, requestGpu, sum } = library;
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
    const samples = await decodeAudio(await read("speech.wav"));
    const model = await loadModel({ files }, { gpu });
    const { text, words } = await model.transcribe(samples);

    const train = [{ audio: samples, text }, {
      audio: samples.subarray(0, 20_000),
      text: "WHAT IS THE WEATHER",
    }];
    const options = {
      train,
      test: train,
      target: 0.3,
      steps: 3,
      finetuneSteps: 2,
      batchSeconds: 4,
      seconds: 1,
    };
    const { compact, report } = await prune(model, options);
    const saved = await compact.toFiles();
    const again = await loadModel(saved, { gpu });
    const hypotheses = [await compact.transcribe(samples), await again.transcribe(samples)];
    const pruned = {
      removed: report.constraints[0].removed,
      models: report.models.length,
      texts: hypotheses.map(({ text }) => text),
      bytes: Object.values(saved.files).reduce((sum, { length }) => sum + length, 0),
    };
    for (const one of [model, compact, again]) one.dispose();
    return { adapter: gpu.name, gradient: [...gradient], text, words, pruned };
  } finally {
    gpu.destroy();
  }
}
