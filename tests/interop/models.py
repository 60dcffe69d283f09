# Small random models of every family and head, by transformers:
#   models.py make FOLDER           saves each in every format, with its outputs in float32
#   models.py read FOLDER           loads the models that Espalier wrote beside them, and compares the outputs
#   models.py languages FOLDER      saves a model with the adapter of a language
#   models.py fixtures FOLDER       saves those that the tests without Python read
# It runs the forward pass only, on the CPU: the GELU of PyTorch 1.13 has a wrong gradient for some strides.
import functools
import json
import os
import shutil
import sys
import types

import torch

def stub(name, **attributes):
    """A module that transformers imports without need; Debian's PyTorch for Python 3.11 lacks it, or it does not load."""
    module = sys.modules["torch." + name] = types.ModuleType("torch." + name)
    vars(module).update(attributes)
    parent, _, last = ("torch." + name).rpartition(".")
    setattr(sys.modules[parent], last, module)


if torch.__version__ < "2":
    stub("export", ExportedProgram=object)
    stub("distributed.fsdp", FullyShardedDataParallel=type(None))

import transformers
from transformers.models.hubert import modeling_hubert
from safetensors.torch import load_file, save_file

transformers.logging.set_verbosity_error()

LENGTHS = [1300, 1000]  # samples of the utterances of a batch

SIZES = dict(
    conv_dim=[6, 10, 8, 12],
    conv_kernel=[10, 3, 3, 2],
    conv_stride=[5, 4, 3, 2],
    num_feat_extract_layers=4,
    hidden_size=24,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=20,
    num_conv_pos_embeddings=16,
    num_conv_pos_embedding_groups=4,
    vocab_size=9,
    num_labels=5,
    classifier_proj_size=10,
    num_codevectors_per_group=4,
    codevector_dim=8,
    proj_codevector_dim=8,
    num_clusters=3,
    num_ctc_classes=7,
)
GROUP = dict(feat_extract_norm="group", conv_bias=False, do_stable_layer_norm=False)
LAYER = dict(feat_extract_norm="layer", conv_bias=True, do_stable_layer_norm=True)
BUCKETS = dict(num_buckets=12, max_bucket_distance=15)
STACK = dict(num_conv_pos_embeddings=3, conv_pos_kernel_size=5)
WEIGHTED = dict(use_weighted_layer_sum=True)

# Name: class, and fields of its config.
MODELS = {
    "wav2vec2-group": ("Wav2Vec2ForCTC", GROUP),
    "wav2vec2-layer": ("Wav2Vec2ForCTC", LAYER),
    "wav2vec2-classes": ("Wav2Vec2ForSequenceClassification", GROUP),
    "wav2vec2-weighted": ("Wav2Vec2ForSequenceClassification", {**LAYER, **WEIGHTED}),
    "wav2vec2-bare": ("Wav2Vec2Model", LAYER),
    "hubert-group": ("HubertForCTC", GROUP),
    "hubert-layer": ("HubertForCTC", LAYER),
    "hubert-plain": ("HubertForCTC", {**GROUP, "feat_proj_layer_norm": False}),
    "hubert-weighted": ("HubertForSequenceClassification", {**GROUP, **WEIGHTED}),
    "hubert-bare": ("HubertModel", GROUP),
    "hubert-batch-norm": ("HubertForCTC", {**LAYER, "conv_pos_batch_norm": True}),
    "wavlm-group": ("WavLMForCTC", {**GROUP, **BUCKETS}),
    "wavlm-layer": ("WavLMForCTC", {**LAYER, **BUCKETS}),
    "wavlm-classes": ("WavLMForSequenceClassification", {**GROUP, **BUCKETS}),
    "wavlm-bare": ("WavLMModel", {**LAYER, **BUCKETS}),
    "wav2vec2-pretraining": ("Wav2Vec2ForPreTraining", GROUP),
    "unispeech-group": ("UniSpeechForCTC", GROUP),
    "unispeech-layer": ("UniSpeechForCTC", LAYER),
    "unispeech-classes": ("UniSpeechForSequenceClassification", GROUP),
    "unispeech-bare": ("UniSpeechModel", LAYER),
    "unispeech-pretraining": ("UniSpeechForPreTraining", LAYER),
    "unispeech-sat-group": ("UniSpeechSatForCTC", GROUP),
    "unispeech-sat-layer": ("UniSpeechSatForCTC", LAYER),
    "unispeech-sat-weighted": ("UniSpeechSatForSequenceClassification", {**GROUP, **WEIGHTED}),
    "unispeech-sat-bare": ("UniSpeechSatModel", LAYER),
    "data2vec-ctc": ("Data2VecAudioForCTC", STACK),
    "data2vec-even": ("Data2VecAudioForCTC", {**STACK, "conv_bias": True, "conv_pos_kernel_size": 6}),
    "data2vec-weighted": ("Data2VecAudioForSequenceClassification", {**STACK, **WEIGHTED}),
    "data2vec-bare": ("Data2VecAudioModel", STACK),
    "unispeech-sat-pretraining": ("UniSpeechSatForPreTraining", GROUP),
    "mms": ("Wav2Vec2ForCTC", {**LAYER, "adapter_attn_dim": 5}),
    "mms-bare": ("Wav2Vec2Model", {**LAYER, "adapter_attn_dim": 5}),
    "mms-post-norm": ("Wav2Vec2ForCTC", {**GROUP, "adapter_attn_dim": 5}),
}

FIXTURES = ["hubert-weighted", "wavlm-group", "unispeech-layer", "unispeech-sat-group"]
FIXTURES += ["data2vec-ctc", "hubert-batch-norm", "mms"]

FORMATS = {
    "safetensors": dict(safe_serialization=True),
    "zip": dict(safe_serialization=False),
    "legacy": dict(
        safe_serialization=False,
        save_function=functools.partial(torch.save, _use_new_zipfile_serialization=False),
    ),
    "shards": dict(safe_serialization=True, max_shard_size="20KB"),
    "zip-shards": dict(safe_serialization=False, max_shard_size="20KB"),
    "f16": dict(safe_serialization=True),
    "bf16-zip": dict(safe_serialization=False),
}
DTYPES = {"f16": torch.float16, "bf16-zip": torch.bfloat16}


class BatchNormedPositions(torch.nn.Module):
    """The positional embedding of HuBERT with conv_pos_batch_norm, which transformers has from 4.48 on."""

    def __init__(self, plain, size):
        super().__init__()
        self.batch_norm = torch.nn.BatchNorm1d(size)
        self.conv = torch.nn.utils.remove_weight_norm(plain.conv)
        self.padding, self.activation = plain.padding, plain.activation

    def forward(self, x):
        y = self.conv(self.batch_norm(x.transpose(1, 2)))
        return self.activation(self.padding(y)).transpose(1, 2)


def add_batch_norm(init):
    def new_init(self, config):
        init(self, config)
        if getattr(config, "conv_pos_batch_norm", False):
            self.pos_conv_embed = BatchNormedPositions(self.pos_conv_embed, config.hidden_size)

    return new_init


if not hasattr(transformers.HubertConfig(), "conv_pos_batch_norm"):
    for encoder in (modeling_hubert.HubertEncoder, modeling_hubert.HubertEncoderStableLayerNorm):
        encoder.__init__ = add_batch_norm(encoder.__init__)


def random_model(name, seed):
    """A model whose weights are all random, those of norms too: a tensor that is ignored changes the outputs."""
    kind, fields = MODELS[name]
    cls = getattr(transformers, kind)
    torch.manual_seed(seed)
    model = cls(cls.config_class(**{**SIZES, **fields})).eval()
    with torch.no_grad():
        for key, x in model.named_parameters():
            if key.endswith("weight_g"):
                x.mul_(1 + 0.2 * torch.randn_like(x))
            elif key == "layer_weights":
                x.copy_(torch.randn_like(x))
            elif x.ndim == 1:
                x.copy_(0.2 * torch.randn_like(x) + (1 if key.endswith("weight") else 0))
            else:
                x.copy_(torch.randn_like(x) / x[0].numel() ** 0.5)
        for key, x in model.named_buffers():
            if key.endswith("running_mean"):
                x.copy_(0.3 * torch.randn_like(x))
            elif key.endswith("running_var"):
                x.copy_(0.5 + torch.rand_like(x))
    return model


def batch():
    generator = torch.Generator().manual_seed(0)
    samples = torch.randn(len(LENGTHS), max(LENGTHS), generator=generator)
    mask = torch.zeros(samples.shape, dtype=torch.long)
    for i, length in enumerate(LENGTHS):
        mask[i, :length] = 1
    return samples * mask, mask


def outputs(model):
    """Logits and hidden states, with and without an attention mask."""
    if type(model).__name__.endswith("ForPreTraining"):
        model = model.base_model
    samples, mask = batch()
    found = {"samples": samples}
    with torch.no_grad():
        for suffix, attention in ((".masked", mask), ("", None)):
            y = model(samples, attention_mask=attention, output_hidden_states=True)
            if "logits" in y:
                found["logits" + suffix] = y.logits
            for i, state in enumerate(y.hidden_states):
                found[f"hidden.{i}{suffix}"] = state
    return {name: x.float().contiguous() for name, x in found.items()}


def make(folder):
    for seed, name in enumerate(MODELS):
        for form, options in FORMATS.items():
            model = random_model(name, seed)
            path = f"{folder}/{name}/{form}"
            model.to(DTYPES.get(form, torch.float32)).save_pretrained(path, **options)
            save_file(outputs(model.float()), f"{path}/expected.safetensors")


def languages(folder):
    """A model of MMS with the adapter of another language, whose vocabulary has another size."""
    model = random_model("mms", 2)
    vocabularies = {"eng": ["<pad>", *"abcdefgh"], "fra": ["<pad>", *"abcdefghij"]}
    nested = {language: {token: i for i, token in enumerate(tokens)} for language, tokens in vocabularies.items()}
    for form in FORMATS:
        if form not in ("safetensors", "zip"):
            continue
        path = f"{folder}/{form}"
        model.save_pretrained(path, **FORMATS[form])
        with open(f"{path}/vocab.json", "w") as file:
            json.dump(nested, file)
        MODELS["french"] = ("Wav2Vec2ForCTC", {**MODELS["mms"][1], "vocab_size": len(vocabularies["fra"])})
        adapter = {key: x.detach().contiguous() for key, x in random_model("french", 3)._get_adapters().items()}
        if form == "safetensors":
            save_file(adapter, f"{path}/adapter.fra.safetensors", metadata={"format": "pt"})
        else:
            torch.save(adapter, f"{path}/adapter.fra.bin")
        french = transformers.Wav2Vec2ForCTC.from_pretrained(path, target_lang="fra", ignore_mismatched_sizes=True)
        save_file(outputs(french.eval()), f"{path}/expected.safetensors")
        assert not torch.equal(french.lm_head.weight[:9], model.lm_head.weight)


def fixtures(folder):
    for name in FIXTURES:
        path = f"{folder}/{name}"
        model = random_model(name, 1)
        model.save_pretrained(path)
        save_file(outputs(model), f"{path}/expected.safetensors")


def read(folder):
    """Prints the name of each model and its largest error, relative to the largest value of the tensor."""
    for name, (kind, _) in MODELS.items():
        cls = getattr(transformers, kind)
        model, info = cls.from_pretrained(f"{folder}/{name}/written", output_loading_info=True)
        expected = load_file(f"{folder}/{name}/safetensors/expected.safetensors")
        found = outputs(model.eval())
        error = max(float((found[key] - x).abs().max() / x.abs().max()) for key, x in expected.items())
        odd = [key for kind in ("missing_keys", "unexpected_keys", "mismatched_keys") for key in info[kind]]
        print(json.dumps({"name": name, "error": error, "odd": odd}))


if __name__ == "__main__":
    command, folder = sys.argv[1:]
    {"make": make, "read": read, "fixtures": fixtures, "languages": languages}[command](folder)
