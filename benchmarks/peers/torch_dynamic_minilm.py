"""Writes what torch.ao.quantization.quantize_dynamic makes of the MiniLM encoder, as a trace: its defaults, and a scale for each output.

    python benchmarks/peers/torch_dynamic_minilm.py DATA

DATA is what make_minilm.py filled. The results are DATA/torch_ao_tensor.pt and DATA/torch_ao_channel.pt, and are for PyTorch's own loader.
"""
import sys
from pathlib import Path

import torch
from torch import nn
from torch.ao.quantization import default_dynamic_qconfig, per_channel_dynamic_qconfig, quantize_dynamic

sys.path.insert(0, str(Path(__file__).resolve().parent))

from make_minilm import encoder, packaged, trace  # noqa: E402


def main(data):
    for name, recipe in [("tensor", default_dynamic_qconfig), ("channel", per_channel_dynamic_qconfig)]:
        trace(quantize_dynamic(encoder(packaged(data)), {nn.Linear: recipe}), data / f"torch_ao_{name}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
