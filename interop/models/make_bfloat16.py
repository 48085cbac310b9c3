"""Makes the TorchScript module that runners/torch converts bfloat16 tensors with, which DJL cannot pass.

    python make_bfloat16.py ../../runners/torch/src/main/resources/dev/kvant/torch/runtime/bfloat16.pt
"""
import sys

import torch
import torch.nn as nn


class BFloat16(nn.Module):
    @torch.jit.export
    def narrow(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(torch.bfloat16)

    @torch.jit.export
    def widen(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(torch.float32)

    @torch.jit.export
    def scalar_type(self, tensor: torch.Tensor) -> int:
        return tensor.dtype


if __name__ == "__main__":
    torch.jit.script(BFloat16()).save(sys.argv[1])
