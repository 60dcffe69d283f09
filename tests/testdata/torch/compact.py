# Makes dphubert.pth, diarizen.bin and their references, with PyTorch 1.13.1: python3 compact.py
# The files have the keys and config fields that DPHuBERT and DiariZen publish. The references are computed here in float64
# from the published descriptions: hidden states (input of the first layer, output of each) and logits.
import math

import torch
import torch.nn.functional as F

GELU = F.gelu
EPS = 1e-5


def weights(config, parametrized):
    """A state_dict of random values for a config."""
    state = {}

    def add(name, *shape, mean=0.0, spread=None):
        spread = 1 / math.sqrt(max(1, math.prod(shape[1:]))) if spread is None else spread
        state[name] = mean + spread * torch.randn(*shape)

    def linear(name, outputs, inputs):
        add(f"{name}.weight", outputs, inputs)
        add(f"{name}.bias", outputs, spread=0.2)

    def norm(name, size):
        add(f"{name}.weight", size, mean=1.0, spread=0.2)
        add(f"{name}.bias", size, spread=0.2)

    d = config["encoder_embed_dim"]
    channels = 1
    convolutions = config["extractor_conv_layer_config"]
    add("feature_extractor.dummy_weight", convolutions[-1][0], mean=0.8, spread=0.3)
    for i, (out, kernel, _) in enumerate(convolutions):
        name = f"feature_extractor.conv_layers.{i}"
        if config["extractor_mode"] == "layer_norm" or i == 0:
            norm(f"{name}.layer_norm", out)
        add(f"{name}.conv.weight", out, channels, kernel, spread=math.sqrt(2 / (channels * kernel)))
        channels = out
    norm("encoder.feature_projection.layer_norm", channels)
    linear("encoder.feature_projection.projection", d, channels)
    pos = "encoder.transformer.pos_conv_embed.conv"
    kernel, groups = config["encoder_pos_conv_kernel"], config["encoder_pos_conv_groups"]
    add(f"{pos}.bias", d, spread=0.2)
    g, v = ["parametrizations.weight.original0", "parametrizations.weight.original1"] if parametrized else ["weight_g", "weight_v"]
    add(f"{pos}.{g}", 1, 1, kernel, mean=1.0, spread=0.2)
    add(f"{pos}.{v}", d, d // groups, kernel, spread=1.0)
    norm("encoder.transformer.layer_norm", d)
    for j in range(config["encoder_num_layers"]):
        name = f"encoder.transformer.layers.{j}"
        wavlm = "encoder_remaining_heads" in config
        heads = len(config["encoder_remaining_heads"][j]) if wavlm else config["encoder_num_heads"][j]
        width = head_dim(config)
        if config["encoder_use_attention"][j]:
            for part in "kvq":
                linear(f"{name}.attention.{part}_proj", heads * width, d)
            linear(f"{name}.attention.out_proj", d, heads * width)
            if wavlm:
                total = config["encoder_total_num_heads"][j]
                if j == 0:
                    add(f"{name}.attention.rel_attn_embed.weight", config["encoder_num_buckets"], total, spread=1.0)
                linear(f"{name}.attention.gru_rel_pos_linear", 8, width)
                add(f"{name}.attention.gru_rel_pos_const", 1, total, 1, 1, mean=1.0, spread=0.3)
        norm(f"{name}.layer_norm", d)
        if config["encoder_use_feed_forward"][j]:
            units = config["encoder_ff_interm_features"][j]
            linear(f"{name}.feed_forward.intermediate_dense", units, d)
            linear(f"{name}.feed_forward.output_dense", d, units)
        norm(f"{name}.final_layer_norm", d)
    if config["aux_num_out"] is not None:
        linear("aux", config["aux_num_out"], d)
    return state


def head_dim(config):
    if "encoder_head_dim" in config:
        return config["encoder_head_dim"]
    return config["encoder_embed_dim"] // config["encoder_total_num_heads"][0]


def forward(config, state, samples):
    """Hidden states and logits of one utterance, in float64."""
    w = {name: value.double() for name, value in state.items()}
    x = samples.double()[None, None]

    def dense(name, x):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(name, x):
        mean = x.mean(-1, keepdim=True)
        variance = ((x - mean) ** 2).mean(-1, keepdim=True)
        return (x - mean) / torch.sqrt(variance + EPS) * w[f"{name}.weight"] + w[f"{name}.bias"]

    for i, (_, _, stride) in enumerate(config["extractor_conv_layer_config"]):
        name = f"feature_extractor.conv_layers.{i}"
        x = F.conv1d(x, w[f"{name}.conv.weight"], stride=stride)
        if config["extractor_mode"] == "layer_norm":
            x = norm(f"{name}.layer_norm", x.transpose(1, 2)).transpose(1, 2)
        elif i == 0:
            mean = x.mean(2, keepdim=True)
            x = (x - mean) / torch.sqrt(((x - mean) ** 2).mean(2, keepdim=True) + EPS)
            x = x * w[f"{name}.layer_norm.weight"][:, None] + w[f"{name}.layer_norm.bias"][:, None]
        x = GELU(x)
    x = x.transpose(1, 2)[0] * w["feature_extractor.dummy_weight"]
    x = dense("encoder.feature_projection.projection", norm("encoder.feature_projection.layer_norm", x))

    pos = "encoder.transformer.pos_conv_embed.conv"
    g = w.get(f"{pos}.weight_g", w.get(f"{pos}.parametrizations.weight.original0"))
    v = w.get(f"{pos}.weight_v", w.get(f"{pos}.parametrizations.weight.original1"))
    kernel = g * v / torch.sqrt((v**2).sum((0, 1), keepdim=True))
    taps = config["encoder_pos_conv_kernel"]
    y = F.conv1d(x.T[None], kernel, w[f"{pos}.bias"], padding=taps // 2, groups=config["encoder_pos_conv_groups"])
    x = x + GELU(y[0, :, : len(x)].T)
    first = config["encoder_layer_norm_first"]
    if not first:
        x = norm("encoder.transformer.layer_norm", x)
    states = [x]
    offsets = None
    for j in range(config["encoder_num_layers"]):
        name = f"encoder.transformer.layers.{j}"
        if f"{name}.attention.rel_attn_embed.weight" in w:
            offsets = w[f"{name}.attention.rel_attn_embed.weight"][buckets(config, len(x))].permute(2, 0, 1)
        if config["encoder_use_attention"][j]:
            y = norm(f"{name}.layer_norm", x) if first else x
            x = x + attention(config, w, f"{name}.attention", y, j, offsets)
        if not first:
            x = norm(f"{name}.layer_norm", x)
        if config["encoder_use_feed_forward"][j]:
            y = norm(f"{name}.final_layer_norm", x) if first else x
            x = x + dense(f"{name}.feed_forward.output_dense", GELU(dense(f"{name}.feed_forward.intermediate_dense", y)))
        if not first:
            x = norm(f"{name}.final_layer_norm", x)
        states.append(x)
    if first:
        states[-1] = x = norm("encoder.transformer.layer_norm", x)
    named = {f"hidden.{n}": state for n, state in enumerate(states)}
    if config["aux_num_out"] is not None:
        named["logits"] = dense("aux", x)
    return named


def attention(config, w, name, x, layer, offsets):
    width = head_dim(config)
    k, v, q = [x @ w[f"{name}.{part}_proj.weight"].T + w[f"{name}.{part}_proj.bias"] for part in "kvq"]
    kept = config["encoder_remaining_heads"][layer] if offsets is not None else range(k.shape[1] // width)
    outputs = []
    for n, head in enumerate(kept):
        at = slice(n * width, (n + 1) * width)
        scores = q[:, at] @ k[:, at].T / math.sqrt(width)
        if offsets is not None:
            u = x[:, head * width : (head + 1) * width] @ w[f"{name}.gru_rel_pos_linear.weight"].T
            u = u + w[f"{name}.gru_rel_pos_linear.bias"]
            a, b = torch.sigmoid(u[:, :4].sum(1)), torch.sigmoid(u[:, 4:].sum(1))
            gate = a * (b * w[f"{name}.gru_rel_pos_const"][0, head, 0, 0] - 1) + 2
            scores = scores + gate[:, None] * offsets[head]
        outputs.append(torch.softmax(scores, -1) @ v[:, at])
    return torch.cat(outputs, 1) @ w[f"{name}.out_proj.weight"].T + w[f"{name}.out_proj.bias"]


def buckets(config, frames):
    """Bucket of key minus query: exact for near ones, logarithmic beyond, the other half for keys that follow."""
    half = config["encoder_num_buckets"] // 2
    exact = half // 2
    distance = torch.arange(frames)[None, :] - torch.arange(frames)[:, None]
    size = distance.abs()
    far = exact + (torch.log(size.float() / exact) / math.log(config["encoder_max_distance"] / exact) * (half - exact)).long()
    return (distance > 0) * half + torch.where(size < exact, size, far.clamp(max=half - 1))


SHARED = dict(
    extractor_conv_bias=False,
    encoder_embed_dim=24,
    encoder_projection_dropout=0.1,
    encoder_pos_conv_kernel=16,
    encoder_pos_conv_groups=4,
    encoder_num_layers=4,
    encoder_attention_dropout=0.1,
    encoder_ff_interm_dropout=0.0,
    encoder_dropout=0.1,
    encoder_layer_drop=0.05,
    extractor_prune_conv_channels=False,
    encoder_prune_attention_heads=False,
    encoder_prune_attention_layer=False,
    encoder_prune_feed_forward_intermediate=False,
    encoder_prune_feed_forward_layer=False,
)
KERNELS = [(10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2)]


def convolutions(*channels):
    return [(n, kernel, stride) for n, (kernel, stride) in zip(channels, KERNELS)]


DPHUBERT = dict(
    SHARED,
    extractor_mode="group_norm",
    extractor_conv_layer_config=convolutions(6, 5, 4, 7, 6, 5, 9),
    encoder_use_attention=[True, False, True, True],
    encoder_use_feed_forward=[True, True, False, True],
    encoder_num_heads=[2, 0, 3, 1],
    encoder_head_dim=8,
    encoder_ff_interm_features=[13, 7, 0, 1],
    encoder_layer_norm_first=False,
    aux_num_out=7,
    normalize_waveform=False,
)
DIARIZEN = dict(
    SHARED,
    extractor_mode="layer_norm",
    extractor_conv_layer_config=convolutions(5, 6, 7, 4, 5, 6, 11),
    encoder_use_attention=[True, True, False, True],
    encoder_use_feed_forward=[True, False, True, True],
    encoder_total_num_heads=[3] * 4,
    encoder_remaining_heads=[[0, 2], [1], [], [0, 1, 2]],
    encoder_num_buckets=12,
    encoder_max_distance=15,
    encoder_ff_interm_features=[9, 0, 14, 3],
    encoder_layer_norm_first=True,
    aux_num_out=None,
    normalize_waveform=True,
    use_layerwise_prune=False,
)

torch.manual_seed(2)
for name, config, parametrized in [("dphubert.pth", DPHUBERT, False), ("diarizen.bin", DIARIZEN, True)]:
    state = weights(config, parametrized)
    content = {"state_dict": state, "config": config}
    if name == "dphubert.pth":
        content["distill_linear_projs"] = {"0.weight": torch.randn(3, 3)}
    torch.save(content, name)
    samples = torch.randn(5000)
    torch.save({"samples": samples, **forward(config, state, samples)}, name.split(".")[0] + "_expected.bin")
