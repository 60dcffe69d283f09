"""A step of pruning and one of fine-tuning of wav2vec 2.0 in PyTorch, to compare with `deno task bench:gpu --only steps`.

    python3 bench/peers/torch_prune_step.py '{"config": {...}, "batch": [8, 160000], "steps": 10, "device": "cuda"}'

A pruning step samples hard-concrete gates, runs teacher and student, adds the CTC and the distillation loss and the penalty of the
constraint, clips the gradients, and takes AdamW steps of weights, log-alphas and multipliers. Prints a line of JSON.
"""

import json
import math
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn
from torch_wav2vec2 import Wav2Vec2, describe, peak_memory, synchronize

BETA, LOW, HIGH = 2 / 3, -0.1, 1.1
DISTILL, TEMPERATURE, MAX_NORM = 0.9, 2.0, 10.0
WARM = 3


class Gates(nn.Module):
    """Hard-concrete gates (Louizos et al. 2018, arXiv 1712.01312), all of them open."""

    def __init__(self, counts):
        super().__init__()
        self.log_alpha = nn.ParameterDict(
            {name.replace(".", "_"): nn.Parameter(torch.full((n,), 20.0)) for name, n in counts.items()}
        )
        self.multipliers = nn.Parameter(torch.zeros(2))

    def sample(self):
        gates = {}
        for name, log_alpha in self.log_alpha.items():
            u = torch.rand_like(log_alpha).clamp(1e-6, 1 - 1e-6)
            s = torch.sigmoid((u.logit() + log_alpha) / BETA)
            gates[name.replace("_", ".")] = (s * (HIGH - LOW) + LOW).clamp(0, 1)
        return gates

    def penalty(self, target=0.5):
        """The Lagrangian of the share of open units, which takes about the work of that of the MACs."""
        shift = BETA * math.log(-LOW / HIGH)
        shares = [torch.sigmoid(log_alpha - shift).mean() for log_alpha in self.log_alpha.values()]
        excess = torch.stack(shares).mean() - target
        return self.multipliers[0] * excess + self.multipliers[1] * excess**2


class Step:
    """A step with models, optimizers and a batch of noise."""

    def __init__(self, request, kind, bf16):
        device = self.device = request["device"]
        utterances, samples = request["batch"]
        torch.manual_seed(0)
        self.model = Wav2Vec2(request["config"]).to(device)
        self.teacher = Wav2Vec2(request["config"]).to(device).eval().requires_grad_(False)
        self.gates = Gates(self.model.units()).to(device) if kind == "prune" else None
        fused = {"fused": True} if device == "cuda" else {}
        self.optimizers = [torch.optim.AdamW(self.model.parameters(), lr=0.0, betas=(0.9, 0.98), **fused)]
        if self.gates is not None:
            self.optimizers.append(torch.optim.AdamW(self.gates.parameters(), lr=0.0, betas=(0.9, 0.98), **fused))
        self.bf16 = bf16
        self.samples = torch.randn(utterances, samples, device=device)
        self.targets = torch.arange(5, 17, device=device).repeat(utterances, 1)

    def loss(self):
        gates = self.gates.sample() if self.gates is not None else None
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.bf16):
            with torch.no_grad():
                teacher = self.teacher(self.samples)
            logits = self.model(self.samples, gates)
        utterances, frames, _ = logits.shape
        lengths = torch.full((utterances,), frames, dtype=torch.long)
        tokens = torch.full((utterances,), self.targets.shape[1], dtype=torch.long)
        log_probs = F.log_softmax(logits.float(), -1)
        task = F.ctc_loss(log_probs.transpose(0, 1), self.targets, lengths, tokens, zero_infinity=True)
        target = F.log_softmax(teacher.float() / TEMPERATURE, -1)
        divergence = F.kl_div(
            F.log_softmax(logits.float() / TEMPERATURE, -1), target, reduction="sum", log_target=True
        )
        loss = (1 - DISTILL) * task + DISTILL * divergence / self.targets.numel()
        return loss if self.gates is None else loss + self.gates.penalty()

    def run(self):
        """A step; the loss is read back, as in a training loop that checks it."""
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss = self.loss()
        loss.backward()
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                nn.utils.clip_grad_norm_(group["params"], MAX_NORM)
            optimizer.step()
        return loss.item()


def measure(request, kind, bf16):
    """Milliseconds of each step, and peak memory."""
    device = request["device"]
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    step = Step(request, kind, bf16)
    for _ in range(WARM):
        step.run()
    times = []
    for _ in range(request["steps"]):
        synchronize(device)
        start = time.perf_counter()
        loss = step.run()
        synchronize(device)
        times.append((time.perf_counter() - start) * 1e3)
    dtype = "bf16 autocast" if bf16 else "float32"
    parameters = sum(p.numel() for p in step.model.parameters())
    return {"kind": kind, "dtype": dtype, "ms": times, "bytes": peak_memory(device), "loss": loss, "parameters": parameters}


def main(request):
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    types = (False, True) if request["device"] == "cuda" else (False,)
    costs = [measure(request, kind, bf16) for kind in ("prune", "finetune") for bf16 in types]
    print(json.dumps({**describe(request["device"]), "costs": costs}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
