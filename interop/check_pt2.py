"""Programs of torch.export: the checkpoint equals torchao's own bit for bit, and torch.export.load runs the program with 8-bit weights.

The program gives what the source gives with the checkpoint's dequantized weights, for every batch that the source takes.
"""
import shutil
import tempfile
import zipfile
from pathlib import Path

import torch
import torchvision
import transformers
from torch import nn

from kvant import CHECKPOINT, MODELS, Checks, kvant, quantized
from torchao_peer import dequantized, differences, quantized_by_torchao

import networks

PROGRAM = "quantized_model_torchao.pt2"
DTYPES = ("int8", "fp8_e4m3fn", "fp8_e5m2")


class Recurrent(nn.Module):
    """An LSTM between an embedding and a head that shares its weight."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(60, 24)
        self.lstm = nn.LSTM(24, 24, num_layers=2, batch_first=True)
        self.head = nn.Linear(24, 60, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens):
        return {"scores": self.head(self.lstm(self.embedding(tokens))[0])}


class Encoder(nn.Module):
    """A transformers encoder with a mask, without the class around its results."""

    def __init__(self):
        super().__init__()
        config = transformers.BertConfig(vocab_size=200, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128,
                                         max_position_embeddings=64)
        self.bert = transformers.BertModel(config, add_pooling_layer=False)

    def forward(self, input_ids, attention_mask):
        return self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state


class Nested(nn.Module):
    """Weights that go through a graph within the graph, and a module that is called twice."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 8)
        self.second = nn.Linear(8, 8).to(torch.bfloat16)

    def forward(self, x):
        with torch.no_grad():
            y = self.first(x)
        return self.second(self.first(y + x).to(torch.bfloat16)).to(torch.float32)


def tokens(rows, vocabulary, length=12):
    return torch.randint(0, vocabulary, (rows, length), generator=torch.Generator().manual_seed(rows))


def build(make, seed=0):
    torch.manual_seed(seed)
    return make().eval()


def subjects():
    """Name, network, inputs by batch, largest batch."""
    yield "resnet18", build(torchvision.models.resnet18), lambda rows: (torch.randn(rows, 3, 64, 64),), ({0},)
    yield "encoder", build(Encoder), lambda rows: (tokens(rows, 200), torch.ones(rows, 12, dtype=torch.long).tril(6)), ({0}, {0})
    yield "lstm", build(Recurrent), lambda rows: (tokens(rows, 60),), ({0},)
    yield "nested", build(Nested), lambda rows: (torch.randn(rows, 8),), ({0},)
    yield "tied", networks.build(networks.Tied, 0), lambda rows: (networks.tokens(batch=rows, seed=2),), ({0},)
    yield "mixed", networks.build(networks.Mixed, 7), lambda rows: (networks.tokens(batch=rows, seed=2),), ({0},)


def export(network, inputs, dynamic, path):
    batch = torch.export.Dim("batch", min=1, max=64)
    shapes = tuple({axis: batch for axis in axes} for axes in dynamic)
    torch.export.save(torch.export.export(network, inputs, dynamic_shapes=shapes), path)


def flat(outputs):
    return list(outputs.values()) if isinstance(outputs, dict) else [outputs]


def restored(network, program):
    """The network with the weights that a program's codes and scales stand for."""
    state, found = program.state_dict, {}
    for name, value in network.state_dict().items():
        stored = state[name]
        if stored.dtype != value.dtype:
            scale = state[name + "_scale"] if name + "_scale" in state else next(
                state[other + "_scale"] for other in state
                if other + "_scale" in state and state[other].data_ptr() == stored.data_ptr())
            stored = (stored.to(torch.float32) * scale).to(value.dtype)
        found[name] = stored
    return found


def check_program(checks, what, network, out, dtype, make, expected):
    program = torch.export.load(out / PROGRAM)
    module = program.module()
    quantized_names = [name for name, value in program.state_dict.items() if str(value.dtype) in ("torch.int8", f"torch.{CODES[dtype]}")]
    checks.that(f"{what}: {len(quantized_names)} weights of the program hold codes", len(quantized_names) > 0)
    values = restored(network, program)
    unequal = [name for name, value in expected.items() if not torch.equal(value, values[name])]
    checks.that(f"{what}: the program's codes and scales are the checkpoint's", not unequal, str(unequal))
    reference = dequantized(network, expected)
    for rows in (1, 2, 5):
        inputs = make(rows)
        with torch.no_grad():
            wanted, got = flat(reference(*inputs)), flat(module(*inputs))
        worst = max(float((one - other).abs().max()) for one, other in zip(wanted, got))
        checks.that(f"{what}: outputs for {rows} rows are those of the dequantized weights", worst < 1e-4 and len(wanted) == len(got),
                    f"they differ by {worst}")
    return program


CODES = {"int8": "int8", "fp8_e4m3fn": "float8_e4m3fn", "fp8_e5m2": "float8_e5m2"}

checks = Checks()
for name, network, make, dynamic in subjects():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.pt2"
        with checks.group(name):
            export(network, make(2), dynamic, path)
            before = torch.export.load(path)
        kinds = sorted({type(module).__name__ for module in network.modules()} & {"Linear", "Embedding"})
        for dtype in DTYPES if name in ("tied", "mixed") else ("int8",):
            what = f"{name} as {dtype}"
            with checks.group(what), quantized(path, [(kind, dtype) for kind in kinds]) as out:
                expected = quantized_by_torchao(network, dtype).state_dict()
                state = torch.load(out / CHECKPOINT, weights_only=True)
                unequal = differences(expected, state)
                checks.that(f"{what}: the checkpoint equals torchao's own", not unequal, "; ".join(unequal))
                plain = {key: value.dequantize() if hasattr(value, "qdata") else value for key, value in state.items()}
                program = check_program(checks, what, network, out, dtype, make, plain)
                checks.that(f"{what}: the signature for callers is the source's",
                            program.graph_signature.user_inputs == before.graph_signature.user_inputs
                            and program.graph_signature.user_outputs == before.graph_signature.user_outputs
                            and program.call_spec == before.call_spec
                            and str(program.range_constraints) == str(before.range_constraints))
                program.run_decompositions()
                torch.export.unflatten(program)(*make(2))
                checks.that(f"{what}: it is decomposed and unflattened", True)
                with zipfile.ZipFile(out / PROGRAM) as archive:
                    names = archive.namelist()
                    checks.that(f"{what}: the archive is sound", archive.testzip() is None and len(set(names)) == len(names))
                run = kvant("plan", out / PROGRAM)
                checks.that(f"{what}: Kvant says that it is quantized already", run.code != 0 and "is quantized already" in run.said, run.said[-300:])

# Compiled it needs no Python to run.
with tempfile.TemporaryDirectory() as folder, checks.group("compiled"):
    if shutil.which("g++"):
        with quantized(MODELS / "tied.pt2", [("Linear", "int8"), ("Embedding", "int8")]) as out:
            program = torch.export.load(out / PROGRAM)
            package = torch._inductor.aoti_compile_and_package(program, package_path=str(Path(folder) / "compiled.pt2"))
            inputs = networks.tokens(batch=3, seed=2)
            with torch.no_grad():
                worst = float((torch._inductor.aoti_load_package(package)(inputs) - program.module()(inputs)).abs().max())
            checks.that("tied: AOTInductor compiles the program, and the code computes the same", worst < 1e-4, f"they differ by {worst}")
            run = kvant("inspect", package)
            checks.that("tied: Kvant refuses the compiled package by name", run.code != 0 and "AOTInductor" in run.said, run.said[-300:])

# Convolutions too, in the program alone: about a quarter of the size.
with tempfile.TemporaryDirectory() as folder, checks.group("resnet18 with runtime_modules"):
    network = build(torchvision.models.resnet18)
    path = Path(folder) / "resnet18.pt2"
    export(network, (torch.randn(2, 3, 64, 64),), ({0},), path)
    with quantized(path, [("Linear", "int8"), ("Conv2d", "int8")], backend_kwargs={"runtime_modules": True}) as out:
        share = (out / PROGRAM).stat().st_size / path.stat().st_size
        checks.that(f"resnet18: the program has {share:.3f} of the source's size", share < 0.28)
        program = torch.export.load(out / PROGRAM)
        reference = build(torchvision.models.resnet18)
        reference.load_state_dict(restored(network, program))
        inputs = torch.randn(3, 3, 64, 64)
        with torch.no_grad():
            worst = float((reference(inputs) - program.module()(inputs)).abs().max())
        checks.that("resnet18: outputs are those of the dequantized weights", worst < 1e-4, f"they differ by {worst}")
checks.end()
