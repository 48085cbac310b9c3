"""What NVIDIA's ModelOpt makes of the networks that Kvant quantizes, and how the two are compared."""
import contextlib
import copy
import io
import json
import subprocess
import warnings

import numpy as np
import torch

warnings.filterwarnings("ignore")
with contextlib.redirect_stdout(io.StringIO()):
    import modelopt.torch.opt as mto
    import modelopt.torch.quantization as mtq
    from modelopt.torch.quantization.nn import TensorQuantizer

from kvant import ROOT, kvant

CHECKPOINT = "quantized_model_modelopt.pth"
RUNNABLE = "quantized_model_modelopt.pt"
BITS = {"int8": 8, "fp8_e4m3fn": (4, 3)}
QUIET = contextlib.redirect_stdout(io.StringIO())


def quantize(model, out, kinds, batches, dtype="int8", axis=None, operands=("weights", "activations"), **settings):
    """Runs `kvant quantize` with the batches in an .npz file beside `out`, one rule for each kind of module."""
    out.parent.mkdir(parents=True, exist_ok=True)
    data = out.with_suffix(".npz")
    np.savez(data, **{name: np.concatenate([batch[name].numpy() for batch in batches]) for name in batches[0]})
    weights = {"dtype": dtype} if axis is None else {"dtype": dtype, "quant_axis": axis}
    parts = {"weights": weights, "activations": {"dtype": dtype}}
    layers = [{"module_name": kind, **{operand: parts[operand] for operand in operands}} for kind in kinds]
    size = len(next(iter(batches[0].values())))
    section = {"backend": "modelopt", "mode": "static_ptq", "strict": False, "layers": layers,
               "calibration": {"path": str(data), "batch_size": size}, **settings}
    document = out.with_suffix(".json")
    document.write_text(json.dumps({"quantize": section}))
    run = kvant("quantize", "-c", document, "--model", model, "--out", out)
    if run.code != 0:
        raise RuntimeError(f"kvant quantize {model} ended with {run.code}:\n{run.said}")
    return run


def restored(network, out):
    with QUIET:
        return mto.restore(copy.deepcopy(network), out / CHECKPOINT).eval()


class Unseen(torch.nn.Module):
    """Calls a module that ModelOpt does not find in here."""

    def __init__(self, module):
        super().__init__()
        self.unseen = [module]

    def forward(self, *arguments, **keywords):
        return self.unseen[0](*arguments, **keywords)


def use_own_recurrence(model, network):
    """Gives a model the recurrent modules of the network that it was made of.

    ModelOpt computes an LSTM step by step, even where all its quantizers are off, so that the last bits are not PyTorch's. Half-precision
    modules behind it make 7 units in the last place of them.
    """
    for name, module in network.named_modules():
        if isinstance(module, torch.nn.RNNBase):
            model.set_submodule(name, Unseen(module))
    return model


def quantizers(network):
    """By name the quantizers that do something."""
    return {name: module for name, module in network.named_modules()
            if isinstance(module, TensorQuantizer) and module.is_enabled}


def own(network, like, batches, dtype="int8"):
    """The network as ModelOpt quantizes it itself, by max on the same batches: the same quantizers as in another one of its."""
    wanted = quantizers(like)
    config = {"*": {"enable": False}}
    config.update({name: {"num_bits": BITS[dtype], "axis": quantizer.axis} for name, quantizer in wanted.items()})

    def loop(model):
        with torch.no_grad():
            for batch in batches:
                model(**batch)

    with QUIET:
        return mtq.quantize(use_own_recurrence(copy.deepcopy(network), network), {"quant_cfg": config, "algorithm": "max"}, loop).eval()


def ulps(values, others):
    """How many float32 units in the last place lie between positive numbers, at most."""
    bits = [np.ascontiguousarray(each.detach().float().reshape(-1).numpy()).view(np.int32).astype(np.int64) for each in (values, others)]
    return int(np.abs(bits[0] - bits[1]).max())


def by_djl(models, inputs, folder):
    """What the models answer through DJL, in one process."""
    arguments = []
    for name, tensor in inputs.items():
        file = folder / f"{name}.raw"
        array = np.ascontiguousarray(tensor.numpy())
        array.tofile(file)
        arguments.append(f"{name}:{str(array.dtype).upper()}:{'x'.join(map(str, array.shape))}:{file}")
    jars = ROOT / "distribution/target/kvant"
    classes = ":".join(f"{folder}/*" for folder in [jars / "lib", *sorted((jars / "plugins").glob("*"))])
    done = subprocess.run(["java", "-cp", classes, str(ROOT / "interop/Answer.java"), str(folder / "answer"), ",".join(map(str, models)),
                           *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return [torch.from_numpy(np.fromfile(folder / f"answer.{i}", dtype=np.float32)) for i in range(len(models))]


def off(outputs, wanted):
    """The largest difference, in parts of the range."""
    wanted = wanted.reshape(-1)
    return (outputs.reshape(-1) - wanted).abs().max().item() / (wanted.max() - wanted.min()).item()


def cosines(outputs, wanted):
    return torch.nn.functional.cosine_similarity(outputs.reshape(wanted.shape), wanted, dim=-1)
