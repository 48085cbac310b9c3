"""Says whether two quantized state dicts are the same to the last bit.

    python interop/same_state.py EXPECTED.pth FOUND.pth
"""
import sys

import torch

from torchao_peer import differences

lines = differences(*(torch.load(path, weights_only=True) for path in sys.argv[1:3]))
print("\n".join(lines) if lines else "the same to the last bit")
sys.exit(1 if lines else 0)
