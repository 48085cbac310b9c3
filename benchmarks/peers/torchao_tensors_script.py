"""The minimum that Python needs for the same artifact: no network, only the tensors that are Linear weights by their names.

    python benchmarks/peers/torchao_tensors_script.py CHECKPOINT.pth OUT.pth [int8|fp8_e4m3fn]
"""
import sys

import torch
from torchao.quantization import Float8Tensor, Int8Tensor, PerRow

dtype = sys.argv[3] if len(sys.argv) > 3 else "int8"
quantized = {"int8": Int8Tensor, "fp8_e4m3fn": Float8Tensor}[dtype]

state = torch.load(sys.argv[1], weights_only=True)
for name, tensor in state.items():
    if tensor.dim() == 2 and "embeddings" not in name:
        state[name] = quantized.from_hp(tensor, granularity=PerRow())
torch.save(state, sys.argv[2])
