"""Compact speech models of Espalier for transformers.

Layers keep different numbers of attention heads and feed-forward units, which the classes of transformers cannot express. The classes
below build the model with the sizes of config.json, then replace the sub-layers that `per_layer_config` names:

    from transformers import AutoModelForCTC
    model = AutoModelForCTC.from_pretrained(folder, trust_remote_code=True)
"""
import math

import torch
import transformers
from torch import nn


class Bias(nn.Module):
    """The output projection of a sub-layer without heads or units: its bias is left."""

    def __init__(self, size):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(size))

    def forward(self, x):
        return self.bias.expand(*x.shape[:-1], -1)


class Absent(nn.Module):
    """A sub-layer that was removed with its bias."""

    def __init__(self, returns_tuple):
        super().__init__()
        self.returns_tuple = returns_tuple

    def forward(self, hidden_states, attention_mask=None, position_bias=None, **kwargs):
        y = torch.zeros_like(hidden_states)
        return (y, None, position_bias) if self.returns_tuple else y


class Attention(nn.Module):
    """Multi-head attention with some of the heads of the dense model."""

    def __init__(self, config, kept):
        super().__init__()
        size = config.hidden_size
        self.kept = list(kept)
        self.head_size = size // config.num_attention_heads
        self.dropout = config.attention_dropout
        width = len(self.kept) * self.head_size
        if width:
            self.k_proj = nn.Linear(size, width)
            self.v_proj = nn.Linear(size, width)
            self.q_proj = nn.Linear(size, width)
        self.out_proj = nn.Linear(width, size) if width else Bias(size)

    def forward(self, hidden_states, attention_mask=None, position_bias=None, output_attentions=False, **kwargs):
        bias, position_bias = self.bias_of(hidden_states, position_bias)
        if not self.kept:
            return self.out_proj(hidden_states), None, position_bias
        batch, frames, _ = hidden_states.shape
        q, k, v = (
            projection(hidden_states).view(batch, frames, len(self.kept), self.head_size).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        scores = (q * self.head_size**-0.5) @ k.transpose(2, 3)
        if bias is not None:
            scores = scores + bias
        scores = masked(scores, attention_mask)
        weights = scores.softmax(-1)
        dropped = nn.functional.dropout(weights, self.dropout, self.training)
        y = (dropped @ v).transpose(1, 2).reshape(batch, frames, -1)
        return self.out_proj(y), weights if output_attentions else None, position_bias

    def bias_of(self, hidden_states, position_bias):
        """Bias of the scores, and what the next layers get."""
        return None, position_bias


def masked(scores, mask):
    """Scores [B, H, T, T] with a mask: 1 or True for frames to attend to, [B, T] or [B, 1, T, T], or floats to add."""
    if mask is None:
        return scores
    if mask.ndim == 2:
        mask = mask[:, None, None, :].bool()
    if mask.dtype == torch.bool:
        return scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return scores + mask


class PositionAttention(Attention):
    """Attention of WavLM, with a gated bias of relative positions (arXiv 2110.13900). All heads of the dense model have a gate."""

    def __init__(self, config, kept, has_embedding):
        super().__init__(config, kept)
        heads = config.num_attention_heads
        self.buckets = config.num_buckets
        self.max_distance = config.max_bucket_distance
        self.gru_rel_pos_const = nn.Parameter(torch.ones(1, heads, 1, 1))
        self.gru_rel_pos_linear = nn.Linear(self.head_size, 8)
        if has_embedding:
            self.rel_attn_embed = nn.Embedding(self.buckets, heads)

    def bias_of(self, hidden_states, position_bias):
        batch, frames, _ = hidden_states.shape
        if position_bias is None:
            if not hasattr(self, "rel_attn_embed"):
                return None, None
            position_bias = self.rel_attn_embed(self.bucket_of(frames, hidden_states.device)).permute(2, 0, 1)
        if not self.kept:
            return None, position_bias
        x = hidden_states.view(batch, frames, -1, self.head_size).transpose(1, 2)
        gates = self.gru_rel_pos_linear(x).view(batch, -1, frames, 2, 4).sum(-1).sigmoid()
        a, b = gates[..., :1], gates[..., 1:]
        gate = a * (b * self.gru_rel_pos_const - 1) + 2
        return (gate * position_bias)[:, self.kept], position_bias

    def bucket_of(self, frames, device):
        """Buckets of the distances from every frame to every frame: exact ones, then logarithmic ones."""
        position = torch.arange(frames, device=device)
        offset = position[None, :] - position[:, None]
        half = self.buckets // 2
        exact = half // 2
        distance = offset.abs()
        scale = (half - exact) / math.log(self.max_distance / exact)
        far = exact + (torch.log(distance.clamp(min=1).float() / exact) * scale).long()
        bucket = torch.where(distance < exact, distance, far.clamp(max=half - 1))
        return bucket + half * (offset > 0).long()


def scale_channels(module, inputs, features):
    return features * module.dummy_weight[:, None]


class Compact:
    """Replaces the sub-layers of a model that transformers built."""

    def __init__(self, config, *args, **kwargs):
        super().__init__(config, *args, **kwargs)
        # transformers takes this class for other models of the family, too, once it has loaded it.
        layers = {int(layer): sizes for layer, sizes in (getattr(config, "per_layer_config", None) or {}).items()}
        if not layers and not getattr(config, "feature_scale", False):
            return
        base = self.base_model
        kept = getattr(config, "remaining_heads", None)
        for i, layer in enumerate(base.encoder.layers):
            sizes = layers.get(i, {})
            heads = sizes.get("num_attention_heads", config.num_attention_heads)
            self.replace_attention(config, layer, i, kept[i] if kept else range(heads), sizes.get("skip", ()))
            self.replace_feed_forward(config, layer, sizes)
        if getattr(config, "feature_scale", False):
            encoder = base.feature_extractor
            encoder.dummy_weight = nn.Parameter(torch.ones(config.conv_dim[-1]))
            encoder.register_forward_hook(scale_channels)

    @staticmethod
    def replace_attention(config, layer, i, kept, skip):
        if "attention" in skip:
            layer.attention = Absent(returns_tuple=True)
        elif config.model_type == "wavlm":
            layer.attention = PositionAttention(config, kept, has_embedding=i == 0)
        else:
            layer.attention = Attention(config, kept)

    @staticmethod
    def replace_feed_forward(config, layer, sizes):
        units = sizes.get("intermediate_size", config.intermediate_size)
        if "mlp" in sizes.get("skip", ()):
            layer.feed_forward = Absent(returns_tuple=False)
        elif units == 0:
            layer.feed_forward.intermediate_dense = nn.Identity()
            layer.feed_forward.output_dense = Bias(config.hidden_size)
        else:
            layer.feed_forward.intermediate_dense = nn.Linear(config.hidden_size, units)
            layer.feed_forward.output_dense = nn.Linear(units, config.hidden_size)
