# Compact models beside transformers:
#   compact.py FOLDER    loads every model of the folder, NAME/compact with the code beside it and NAME/padded with the classes of
#                        transformers, saves each and loads it again, and writes what it computes into expected.safetensors
# It prints a line of JSON for each: its name, and the keys of the weights that did not fit.
import json
import os
import sys

import models  # first: it makes this PyTorch look like one that transformers takes
import transformers
from safetensors.torch import save_file

KINDS = {
    "ForCTC": transformers.AutoModelForCTC,
    "ForSequenceClassification": transformers.AutoModelForAudioClassification,
}


def load(path, code):
    with open(f"{path}/config.json") as file:
        name = json.load(file)["architectures"][0]
    if code:
        cls = next((auto for kind, auto in KINDS.items() if name.endswith(kind)), transformers.AutoModel)
        model, info = cls.from_pretrained(path, trust_remote_code=True, output_loading_info=True)
        assert type(model).__module__.startswith("transformers_modules."), type(model)
    else:
        model, info = getattr(transformers, name).from_pretrained(path, output_loading_info=True)
    odd = [key for kind in ("missing_keys", "unexpected_keys", "mismatched_keys") for key in info[kind]]
    return model.eval(), odd


def main(folder):
    for name in sorted(os.listdir(folder)):
        for form in sorted(os.listdir(f"{folder}/{name}")):
            path = f"{folder}/{name}/{form}"
            code = form == "compact"
            model, odd = load(path, code)
            expected = models.outputs(model)
            save_file(expected, f"{path}/expected.safetensors")
            saved = f"{path}/saved"
            model.save_pretrained(saved)
            again, odd_again = load(saved, code)
            same = all((x == expected[key]).all() for key, x in models.outputs(again).items())
            print(json.dumps({"name": f"{name}, {form}", "odd": odd + odd_again, "same": bool(same)}))


main(*sys.argv[1:])
