"""What one writes in Python to quantize the MiniLM checkpoint with torchao: build the network, load, quantize, save.

    python benchmarks/peers/torchao_script.py CHECKPOINT.pth OUT.pth [int8|fp8_e4m3fn]
"""
import sys
from pathlib import Path

import torch
from torchao.quantization import Float8WeightOnlyConfig, Int8WeightOnlyConfig, quantize_
from transformers import BertConfig, BertModel

checkpoint, out = Path(sys.argv[1]), Path(sys.argv[2])
config = {"int8": Int8WeightOnlyConfig, "fp8_e4m3fn": Float8WeightOnlyConfig}[sys.argv[3] if len(sys.argv) > 3 else "int8"]()

model = BertModel(BertConfig.from_pretrained(checkpoint.parent))
model.load_state_dict(torch.load(checkpoint, weights_only=True))
model.eval()
quantize_(model, config)
torch.save(model.state_dict(), out)
