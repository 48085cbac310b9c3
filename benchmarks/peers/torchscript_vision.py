"""torchvision's networks as TorchScript in int8 by Kvant beside torch.ao's FX quantization, in this libtorch: speed, size and cosine.

    python benchmarks/peers/torchscript_vision.py make NAME FOLDER       writes FOLDER/NAME.pt and data to calibrate and test
    python benchmarks/peers/torchscript_vision.py compare NAME FOLDER    compares FOLDER/NAME.pt with FOLDER/NAME/quantized_model_modelopt.pt

Weights are random, statistics of BatchNorm too. Times are those of one thread's processor, the least of several runs that alternate.
"""
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch
import torchvision
from torch.ao.quantization import get_default_qconfig_mapping
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

RUNS = 15
SHAPE = (3, 224, 224)


def network(name):
    torch.manual_seed(0)
    net = getattr(torchvision.models, name)(weights=None).eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return net


def make(name, folder):
    folder.mkdir(parents=True, exist_ok=True)
    torch.jit.trace(network(name), torch.randn(1, *SHAPE)).save(folder / f"{name}.pt")
    for use in ("calibration", "test"):
        np.savez(folder / f"{name}.{use}.npz", x=torch.randn(8, *SHAPE).numpy())


def compare(name, folder):
    torch.set_num_threads(1)
    calibration, test = (torch.from_numpy(np.load(folder / f"{name}.{use}.npz")["x"]) for use in ("calibration", "test"))
    files = {"float32": folder / f"{name}.pt", "Kvant": folder / name / "quantized_model_modelopt.pt"}
    models = {what: torch.jit.load(file) for what, file in files.items()}
    for engine in ("x86", "onednn"):
        torch.backends.quantized.engine = engine
        prepared = prepare_fx(network(name), get_default_qconfig_mapping(engine), (test[:1],))
        prepared(calibration)
        models[f"FX {engine}"] = torch.jit.trace(convert_fx(prepared), test[:1])
    least = dict.fromkeys(models, float("inf"))
    for run in range(RUNS + 3):
        for what, model in models.items():
            start = time.process_time()
            model(test[:1])
            if run >= 3:
                least[what] = min(least[what], time.process_time() - start)
    reference = models["float32"](test)
    whole = files["float32"].stat().st_size
    for what, model in models.items():
        cosine = torch.nn.functional.cosine_similarity(model(test).flatten(1), reference.flatten(1)).mean().item()
        size = f"{100 * files[what].stat().st_size / whole:.1f} %" if what in files else ""
        print(f"| {name} | {what} | {1e3 * least[what]:.1f} | {least['float32'] / least[what]:.2f} | {size} | {cosine:.5f} |")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with torch.no_grad():
        {"make": make, "compare": compare}[sys.argv[1]](sys.argv[2], Path(sys.argv[3]))
