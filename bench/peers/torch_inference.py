"""Inference of wav2vec 2.0 in PyTorch, to compare with `deno task bench:gpu --only inference`.

    python3 bench/peers/torch_inference.py '{"models": {"dense": {...}}, "batches": [1, 16], "samples": 160000, "rounds": 5, "device": "cuda"}'

Prints a line of JSON.
"""

import json
import sys
import time

import torch
from torch_wav2vec2 import Wav2Vec2, describe, synchronize

WARM = 3


@torch.inference_mode()
def measure(model, device, utterances, samples, rounds):
    """Milliseconds of each run, from samples on the host to logits on the host."""
    dtype = next(model.parameters()).dtype
    audio = torch.randn(utterances, samples)
    times = []
    for i in range(WARM + rounds):
        synchronize(device)
        start = time.perf_counter()
        model(audio.to(device=device, dtype=dtype)).float().cpu()
        if i >= WARM:
            times.append((time.perf_counter() - start) * 1e3)
    return times


def main(request):
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    device = request["device"]
    costs = []
    for name, config in request["models"].items():
        for dtype in (torch.float32, torch.float16):
            if dtype == torch.float16 and device == "cpu":
                continue
            model = Wav2Vec2(config).to(device=device, dtype=dtype).eval()
            for utterances in request["batches"]:
                ms = measure(model, device, utterances, request["samples"], request["rounds"])
                short = "f32" if dtype == torch.float32 else "f16"
                costs.append({"model": name, "dtype": short, "utterances": utterances, "ms": ms})
    print(json.dumps({**describe(device), "costs": costs}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
