"""Writes every readable and unreadable model file that the tests use, each readable one with what a reader must find.

    PYTHONHASHSEED=0 python interop/models/make_models.py [OUT]      (default: formats/torch/src/test/resources/models)

Needs torch 2.15 and safetensors. The weights depend on fixed seeds; with the hash seed every file comes out the same each
time, but for legacy files, which name storages by their addresses.
"""
import sys
import types
from collections import OrderedDict
from pathlib import Path

import torch
import torch.nn as nn
from safetensors.torch import save_file

import expected
import make_unreadable
import neutral
from networks import LENGTH, VOCABULARY, WIDTH, Mixed, Places, Tied, build, tokens, traced

DEFAULT = Path(__file__).resolve().parents[2] / "formats/torch/src/test/resources/models"


def networks(out):
    for name, network in [("tied", build(Tied)), ("mixed", build(Mixed, 7))]:
        example = tokens()
        with torch.no_grad():
            torch.jit.script(network).save(out / f"{name}.pt")
            traced(network, example).save(out / f"{name}_traced.pt")
            neutral.neutralize(out / f"{name}.pt")
            neutral.neutralize(out / f"{name}_traced.pt")
            reached = torch.jit.load(out / f"{name}_traced.pt")(example)
            assert torch.allclose(network(example), reached, atol=1e-3)
            assert torch.allclose(network(example), torch.jit.load(out / f"{name}.pt")(example), atol=1e-3)
        torch.save(network.state_dict(), out / f"{name}.pth")
        # The format does not support sharing: a tied weight is written twice.
        save_file({key: value.clone() for key, value in network.state_dict().items()}, out / f"{name}.safetensors")
        expected.write(expected.of_torchscript(out / f"{name}.pt"), out / f"{name}.pt.json")
        expected.write(expected.of_torchscript(out / f"{name}_traced.pt"), out / f"{name}_traced.pt.json")
        expected.write(expected.of_checkpoint(out / f"{name}.pth"), out / f"{name}.pth.json")
        expected.write(expected.of_safetensors(out / f"{name}.safetensors"), out / f"{name}.safetensors.json")


def places(out):
    with torch.no_grad():
        traced(build(Places, 9), tokens()).save(out / "places.pt")
    neutral.neutralize(out / "places.pt")
    expected.write(expected.of_torchscript(out / "places.pt"), out / "places.pt.json")


def exported(out):
    """Programs of torch.export for batches of 1 to 64 rows."""
    batch = torch.export.Dim("batch", min=1, max=64)
    for name, network in [("tied", build(Tied)), ("mixed", build(Mixed, 7)), ("places", build(Places, 9))]:
        path = out / f"{name}.pt2"
        torch.export.save(torch.export.export(network, (tokens(),), dynamic_shapes=({0: batch},)), path)
        neutral.neutralize(path)
        with torch.no_grad():
            assert torch.allclose(network(tokens()), torch.export.load(path).module()(tokens()), atol=1e-3)
        expected.write(expected.of_exported(path), out / f"{name}.pt2.json")


def small(prefix=""):
    """A state dict of a few layers, as checkpoints nest it among other entries."""
    torch.manual_seed(3)
    network = nn.Sequential(
        OrderedDict(conv=nn.Conv2d(1, 4, 3), norm=nn.BatchNorm2d(4), flat=nn.Flatten(), head=nn.Linear(16, 5)))
    return network, OrderedDict((prefix + name, value) for name, value in network.state_dict().items())


def trained_optimizer(network):
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
    network(torch.ones(2, 1, 4, 4)).sum().backward()
    optimizer.step()
    return optimizer.state_dict()


def checkpoints(out):
    network, state = small()
    optimizer = trained_optimizer(small()[0])
    documents = {
        "lightning": ("state_dict", {
            "epoch": 3, "global_step": 128, "pytorch-lightning_version": "2.5.0",
            "state_dict": small("net.")[1],
            "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"current": {"completed": 3}}}},
            "callbacks": {"ModelCheckpoint{'monitor': 'loss'}": {"best_model_score": torch.tensor(0.25)}},
            "optimizer_states": [optimizer], "lr_schedulers": [{"last_epoch": 3, "_last_lr": [1e-3]}],
            "hparams_name": "kwargs", "hyper_parameters": {"lr": 1e-3, "layers": [16, 5], "name": "small"}}),
        "tao": ("state_dict", {
            "epoch": 9, "global_step": 512, "pytorch-lightning_version": "2.1.0", "tao_version": "6.25.10",
            "state_dict": small("model.")[1],
            "optimizer_states": [optimizer], "lr_schedulers": [],
            "hyper_parameters": {"experiment_spec": {"model": {"backbone": "small"}, "train": {"num_epochs": 10}}}}),
        "model": ("model", {"model": state, "optimizer": optimizer, "epoch": 4, "args": {"lr": 1e-3}}),
        "module": ("module", {"module": state, "dp_world_size": 1, "mp_world_size": 1, "ds_version": "0.16"}),
        "model_state_dict": ("model_state_dict", {"epoch": 1, "model_state_dict": state, "loss": 0.5}),
    }
    for name, (key, document) in documents.items():
        path = out / f"checkpoint_{name}.pth"
        torch.save(document, path)
        expected.write(expected.of_checkpoint(path, key), path.with_suffix(".pth.json"))

    # A state dict as state_dict() gives it carries `_metadata`; a rebuilt one does not; and people save plain dicts.
    for name, document in {"ordered": network.state_dict(), "plain": dict(state)}.items():
        torch.save(document, out / f"{name}.pth")
        expected.write(expected.of_checkpoint(out / f"{name}.pth"), out / f"{name}.pth.json")


def numbers(*shape, dtype=torch.float32):
    count = 1
    for extent in shape:
        count *= extent
    return (torch.arange(count) % 120).to(dtype).reshape(shape)


def strange(out):
    """Every layout and type of a state dict that a reader must support."""
    base = numbers(8, 6)
    half_shared = numbers(40, dtype=torch.float16)
    state = OrderedDict()
    state["contiguous"] = base.clone()
    state["transposed"] = numbers(6, 4).t()
    state["permuted"] = numbers(2, 3, 4).permute(2, 0, 1)
    state["channels_last"] = numbers(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    state["every_second_column"] = numbers(4, 8)[:, ::2]
    state["expanded"] = numbers(1, 5).expand(3, 5)
    state["view_all"] = base
    state["view_rows"] = base[2:5]
    state["view_corner"] = base[6:, 4:]
    state["alias"] = base
    state["slice_a"] = half_shared[:20].reshape(4, 5)
    state["slice_b"] = half_shared[20:].reshape(5, 4)
    state["scalar"] = torch.tensor(3.5)
    state["scalar_int64"] = torch.tensor(-(2**40))
    state["empty"] = torch.empty(0)
    state["empty_rows"] = torch.empty(0, 7)
    state["empty_middle"] = torch.empty(3, 0, 2, dtype=torch.int8)
    for name in ["int8", "uint8", "int16", "int32", "int64", "float64", "float16", "bfloat16", "bool",
                 "uint16", "uint32", "uint64", "complex64", "float8_e4m3fn", "float8_e5m2"]:
        dtype = getattr(torch, name)
        state[name] = (numbers(3, 5) % 2 == 0) if dtype == torch.bool else (numbers(3, 5) - (0 if name.startswith("u") else 7)).to(dtype)
    state["special_float32"] = torch.tensor([0.0, -0.0, float("inf"), -float("inf"), float("nan"), 1e-45, 3.4028235e38])
    state["parameter"] = nn.Parameter(numbers(2, 3))
    state["frozen_parameter"] = nn.Parameter(numbers(2, 3) + 1, requires_grad=False)
    state["gradient"] = numbers(4).requires_grad_()
    state["name with spaces / ünïcode"] = numbers(2)
    torch.save(state, out / "strange.pth")
    expected.write(expected.of_checkpoint(out / "strange.pth"), out / "strange.pth.json")


class Settings:
    """A class that no reader has."""

    def __init__(self):
        self.rate = 0.5
        self.tensor = torch.ones(2)


def legacy(out):
    """Readable files again, in the format of torch before 1.6, without the types that torch cannot read from it."""
    newer = [getattr(torch, name) for name in ["uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2"]]
    for name in ["tied", "strange", "checkpoint_lightning"]:
        document = torch.load(out / f"{name}.pth", weights_only=False)
        for entry in [entry for entry, value in document.items() if getattr(value, "dtype", None) in newer]:
            del document[entry]
        path = out / f"legacy_{name}.pth"
        torch.save(document, path, _use_new_zipfile_serialization=False)
        key = "state_dict" if name.startswith("checkpoint") else None
        expected.write(expected.of_checkpoint(path, key), path.with_suffix(".pth.json"))


def opaque(out):
    """Plain tensors beside entries that only their own libraries understand."""
    module = types.ModuleType("acme.training")
    Settings.__module__, module.Settings = "acme.training", Settings
    sys.modules["acme"], sys.modules["acme.training"] = types.ModuleType("acme"), module
    state = {
        "layer.weight": numbers(4, 3),
        "layer.bias": numbers(4),
        "sparse": torch.eye(3).to_sparse(),
        "sparse_csr": torch.eye(3).to_sparse_csr(),
        "quantized": torch.quantize_per_tensor(numbers(2, 2), 0.5, 3, torch.qint8),
        "settings": Settings(),
        "device": torch.device("cpu"),
        "dtype": torch.float16,
        "size": torch.Size([2, 3]),
        "text": "not a tensor",
        "number": 7,
        "nothing": None,
        "set": {1, 2},
        "list": [torch.ones(2), 1.5, True],
        "last.weight": numbers(2, 2),
    }
    torch.save(state, out / "opaque.pth")
    expected.write(expected.of_checkpoint(out / "opaque.pth"), out / "opaque.pth.json")


def safetensors(out):
    torch.manual_seed(5)
    first = {"embed.weight": torch.randn(20, 8), "block.0.weight": torch.randn(16, 8).to(torch.bfloat16)}
    second = {"block.1.weight": torch.randn(8, 16).to(torch.float16), "block.1.bias": torch.randn(8),
              "step": torch.tensor(12), "mask": torch.tensor([True, False, True])}
    folder = out / "sharded"
    folder.mkdir(exist_ok=True)
    names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    weight_map, total = {}, 0
    for name, tensors in zip(names, [first, second]):
        save_file(tensors, folder / name, {"format": "pt"})
        weight_map |= dict.fromkeys(tensors, name)
        total += sum(len(expected.content(tensor)) for tensor in tensors.values())
    expected.write({"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))},
                   folder / "model.safetensors.index.json")
    expected.write(expected.of_safetensors(*[folder / name for name in names]), out / "sharded.json")

    save_file({"linear.weight": torch.randn(12, 8).to(torch.bfloat16), "linear.bias": torch.randn(12).to(torch.bfloat16)},
              out / "bfloat16.safetensors", {"format": "pt"})
    expected.write(expected.of_safetensors(out / "bfloat16.safetensors"), out / "bfloat16.safetensors.json")
    save_file({"empty": torch.empty(0, 4), "scalar": torch.tensor(2.5), "f8": numbers(2, 4).to(torch.float8_e4m3fn),
               "f8b": numbers(2, 4).to(torch.float8_e5m2), "i8": numbers(5, dtype=torch.int8), "u8": numbers(5, dtype=torch.uint8),
               "i16": numbers(5, dtype=torch.int16), "i32": numbers(5, dtype=torch.int32), "f64": numbers(5, dtype=torch.float64),
               "bool": numbers(5) > 2}, out / "types.safetensors")
    expected.write(expected.of_safetensors(out / "types.safetensors"), out / "types.safetensors.json")


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    networks(out)
    places(out)
    exported(out)
    checkpoints(out)
    strange(out)
    opaque(out)
    legacy(out)
    safetensors(out)
    make_unreadable.main(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
