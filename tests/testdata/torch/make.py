# Makes the files of this folder, with PyTorch 1.13.1: python3 make.py
import collections
import json
import os

import torch

torch.manual_seed(1)
base = torch.arange(24.0).reshape(2, 3, 4)
state = collections.OrderedDict(
    f32=torch.randn(3, 5),
    f16=torch.randn(4).half(),
    bf16=torch.randn(4).bfloat16(),
    f64=torch.randn(2, 2).double(),
    i64=torch.tensor([1, -2, 3]),
    i32=torch.tensor([7], dtype=torch.int32),
    u8=torch.tensor([255], dtype=torch.uint8),
    transposed=base.permute(2, 0, 1),
    view=base[1],
    shared=base,
    scalar=torch.tensor(3.5),
    empty=torch.zeros(0, 3),
    parameter=torch.nn.Parameter(torch.randn(2, 3)),
)


class Harmful:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


torch.save(state, "zip.bin")
torch.save(state, "legacy.bin", _use_new_zipfile_serialization=False)
torch.save(state, "protocol4.bin", pickle_protocol=4)
torch.save({"state_dict": state, "config": {"encoder_num_heads": [1, 2], "none": None}}, "nested.bin")
torch.save({"a": torch.zeros(2), "b": Harmful(os.system, "touch harmed")}, "harmful_beside.bin")
torch.save(Harmful(eval, "open('harmed', 'w')"), "harmful.bin")
torch.save(torch.nn.Linear(1, 1), "module.bin")
with open("expected.json", "w") as file:
    json.dump({name: [list(x.shape), x.detach().double().flatten().tolist()] for name, x in state.items()}, file)


def read_safetensors(path):
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    return {
        name: torch.frombuffer(data, dtype=torch.float32, count=(at[1] - at[0]) // 4, offset=at[0]).reshape(entry["shape"]).clone()
        for name, entry in header.items()
        for at in [entry["data_offsets"]]
    }


torch.save(read_safetensors("../base/model.safetensors"), "base.bin")
