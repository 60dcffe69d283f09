"""wav2vec 2.0 with a CTC head in plain PyTorch, dense or compact, with optional gates of its units.

The computation is that of transformers' Wav2Vec2ForCTC with group norm and post-norm layers. B batch, S samples, T frames.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Convolutions(nn.Module):
    """Feature encoder: [B, S] to [B, C, T]; the first layer has a group norm."""

    def __init__(self, config):
        super().__init__()
        channels = [1, *config["conv_dim"]]
        self.layers = nn.ModuleList(
            nn.Conv1d(channels[i], channels[i + 1], kernel, stride, bias=False)
            for i, (kernel, stride) in enumerate(zip(config["conv_kernel"], config["conv_stride"]))
        )
        self.norm = nn.GroupNorm(channels[1], channels[1])

    def forward(self, x, gates):
        x = x[:, None]
        for i, layer in enumerate(self.layers):
            x = layer(x)
            x = F.gelu(self.norm(x) if i == 0 else x)
            if gates is not None:
                x = x * gates[f"conv.{i}"][:, None]
        return x


class Layer(nn.Module):
    """A post-norm Transformer layer with its own numbers of heads and feed-forward units."""

    def __init__(self, width, heads, head_size, units):
        super().__init__()
        self.heads, self.head_size = heads, head_size
        self.q, self.k, self.v = (nn.Linear(width, heads * head_size) for _ in range(3))
        self.out = nn.Linear(heads * head_size, width)
        self.up, self.down = nn.Linear(width, units), nn.Linear(units, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def attend(self, x):
        b, t, _ = x.shape
        q, k, v = (f(x).view(b, t, self.heads, self.head_size).transpose(1, 2) for f in (self.q, self.k, self.v))
        if hasattr(F, "scaled_dot_product_attention"):
            return F.scaled_dot_product_attention(q, k, v)
        return F.softmax(q @ k.transpose(-1, -2) / math.sqrt(self.head_size), -1) @ v

    def forward(self, x, heads, units):
        attended = self.attend(x)
        if heads is not None:
            attended = attended * heads[:, None, None]
        x = self.norm1(x + self.out(attended.transpose(1, 2).flatten(2)))
        inner = F.gelu(self.up(x))
        return self.norm2(x + self.down(inner if units is None else inner * units))


class Wav2Vec2(nn.Module):
    """The model: [B, S] to logits [B, T, vocabulary]. `config` has one number of heads and of units per layer."""

    def __init__(self, config):
        super().__init__()
        width, features = config["hidden_size"], config["conv_dim"][-1]
        kernel, groups = config["num_conv_pos_embeddings"], config["num_conv_pos_embedding_groups"]
        self.convolutions = Convolutions(config)
        self.features_norm, self.project = nn.LayerNorm(features), nn.Linear(features, width)
        self.position = nn.utils.weight_norm(
            nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=groups), name="weight", dim=2
        )
        self.norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(
            Layer(width, heads, config["head_dim"], units)
            for heads, units in zip(config["num_attention_heads"], config["intermediate_size"])
        )
        self.head = nn.Linear(width, config["vocab_size"])
        self.even = kernel % 2 == 0

    def units(self):
        """Number of units of each group of gates."""
        counts = {f"conv.{i}": layer.out_channels for i, layer in enumerate(self.convolutions.layers)}
        for i, layer in enumerate(self.layers):
            counts[f"heads.{i}"], counts[f"ffn.{i}"] = layer.heads, layer.up.out_features
        return counts

    def forward(self, samples, gates=None):
        x = self.project(self.features_norm(self.convolutions(samples, gates).transpose(1, 2)))
        position = self.position(x.transpose(1, 2))
        x = self.norm(x + F.gelu(position[..., :-1] if self.even else position).transpose(1, 2))
        for i, layer in enumerate(self.layers):
            of = (lambda name: gates[f"{name}.{i}"]) if gates is not None else (lambda name: None)
            x = layer(x, of("heads"), of("ffn"))
        return self.head(x)


def synchronize(device):
    """Waits for the device."""
    if device == "cuda":
        torch.cuda.synchronize()


def describe(device):
    """Versions and name of the device."""
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    return {"torch": torch.__version__, "device": name}


def peak_memory(device):
    """Bytes that the allocator has had at most; None on the CPU."""
    return torch.cuda.max_memory_allocated() if device == "cuda" else None
