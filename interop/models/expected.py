"""Says what a reader must find in a model file, as PyTorch and safetensors themselves read it."""
import hashlib
import json
from pathlib import Path

import torch
from safetensors import safe_open

# Each is the integer type whose little-endian bytes are the tensor's own.
_AS_BYTES = torch.uint8


def content(tensor):
    """The tensor's elements in row-major order, little-endian."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return b"" if flat.numel() == 0 else flat.view(_AS_BYTES).numpy().tobytes()


def describe(tensor):
    return {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "stride": list(tensor.stride()),
        "offset": tensor.storage_offset(),
        "sha256": hashlib.sha256(content(tensor)).hexdigest(),
    }


def is_plain(value):
    return isinstance(value, torch.Tensor) and value.layout == torch.strided and not value.is_quantized


def shared(tensors):
    """Groups of names that lie in one storage."""
    groups = {}
    for name, tensor in tensors.items():
        if tensor.numel():
            groups.setdefault(tensor.untyped_storage().data_ptr(), []).append(name)
    return [names for names in groups.values() if len(names) > 1]


def of_state_dict(state):
    tensors = {name: value for name, value in state.items() if is_plain(value)}
    found = {"tensors": {name: describe(value) for name, value in tensors.items()}, "shared": shared(tensors)}
    others = [name for name, value in state.items() if name not in tensors]
    return found | ({"not_tensors": others} if others else {})


def of_checkpoint(path, key=None):
    """A checkpoint of our own making: nothing else may be read with `weights_only=False`."""
    document = torch.load(path, weights_only=False)
    found = of_state_dict(document if key is None else document[key])
    return found if key is None else {"state_dict_key": key} | found


def of_exported(path):
    return of_state_dict(torch.export.load(path).state_dict)


def of_torchscript(path):
    module = torch.jit.load(path)
    found = of_state_dict(module.state_dict())
    found["modules"] = [[name, child.original_name] for name, child in module.named_modules() if name]
    found["root"] = module.original_name
    return found


def of_safetensors(*paths):
    tensors = {}
    for path in paths:
        with safe_open(path, "pt") as opened:
            tensors |= {name: opened.get_tensor(name) for name in opened.keys()}
    return {"tensors": {name: describe(tensors[name]) for name in sorted(tensors)}, "shared": []}


def write(found, path):
    Path(path).write_text(json.dumps(found, indent=1) + "\n")
