"""The training step and GEMMs of `bench/workloads.ts` in PyTorch on CUDA, to compare with `deno task bench`.

    python3 bench/peers/torch_train_step.py
"""

import time

import torch
import torch.nn.functional as F
from torch import nn

WIDTH, HEADS, INNER, FRAMES, BATCH, LAYERS = 256, 4, 1024, 200, 4, 4
ROUNDS, STEPS = 5, 50


class Layer(nn.Module):
    """One post-norm layer."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.up, self.down = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)

    def forward(self, x):
        q, k, v = (f(x).view(BATCH, FRAMES, HEADS, -1).transpose(1, 2) for f in (self.q, self.k, self.v))
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(BATCH, FRAMES, WIDTH)
        h = self.norm1(x + self.out(attended))
        return self.norm2(h + self.down(F.gelu(self.up(h))))


def train_step(tf32):
    """Milliseconds of a step: median over rounds; the loss is read once per round."""
    torch.backends.cuda.matmul.allow_tf32 = tf32
    model = nn.Sequential(*(Layer() for _ in range(LAYERS))).cuda()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.98), fused=True)
    x, y = (torch.randn(BATCH, FRAMES, WIDTH, device="cuda") for _ in range(2))

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(10):
        step().item()
    times = []
    for _ in range(ROUNDS):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(STEPS):
            loss = step()
        loss.item()
        times.append((time.perf_counter() - start) / STEPS * 1e3)
    return sorted(times)[ROUNDS // 2]


def gemm(m, k, n):
    """TFLOP/s of a GEMM in float32."""
    a, b = torch.randn(m, k, device="cuda"), torch.randn(k, n, device="cuda")
    for _ in range(5):
        a @ b
    start, end = torch.cuda.Event(True), torch.cuda.Event(True)
    count = 100 if m < 4000 else 10
    start.record()
    for _ in range(count):
        a @ b
    end.record()
    torch.cuda.synchronize()
    return 2 * m * n * k * count / start.elapsed_time(end) / 1e9


print(torch.__version__, torch.cuda.get_device_name())
for tf32 in (False, True):
    print(f"train_step, {'tf32' if tf32 else 'fp32'}: {train_step(tf32):.2f} ms")
torch.backends.cuda.matmul.allow_tf32 = False
for m, k, n in [(512, 768, 768), (512, 768, 3072), *((size,) * 3 for size in (1024, 2048, 4096))]:
    print(f"gemm {m}x{k}x{n}: {gemm(m, k, n):.1f} TFLOP/s")
