# Speech recognition by transformers' own pipeline:
#   pipeline.py SAMPLES.safetensors FOLDER…   prints the transcript of the samples by the model of each folder, a line of JSON each
import json
import sys

import models  # noqa: F401, first: it makes this PyTorch look like one that transformers takes
import transformers
from safetensors.numpy import load_file

samples = load_file(sys.argv[1])["samples"]
for folder in sys.argv[2:]:
    recognise = transformers.pipeline("automatic-speech-recognition", folder, trust_remote_code=True, device="cpu")
    processor = transformers.AutoProcessor.from_pretrained(folder, trust_remote_code=True)
    print(json.dumps({"text": recognise(samples)["text"], "processor": type(processor).__name__}))
