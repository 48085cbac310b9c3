"""How fast torchao quantizes one matrix in a warm process: medians for each dtype.

    python benchmarks/peers/torchao_matrix.py [ROWS] [COLUMNS] [THREADS] [RUNS]      (default: 4096 4096 2 15)
"""
import sys
import time

import torch
import torch.nn as nn
from torchao.quantization import Float8WeightOnlyConfig, Int8WeightOnlyConfig, quantize_

rows, columns, threads, runs = [*map(int, sys.argv[1:]), *[4096, 4096, 2, 15][len(sys.argv) - 1:]]
torch.set_num_threads(threads)
torch.manual_seed(0)
weight = torch.randn(rows, columns)
configs = {
    "int8": Int8WeightOnlyConfig(set_inductor_config=False),
    "fp8_e4m3fn": Float8WeightOnlyConfig(set_inductor_config=False),
}
for name, config in configs.items():
    seconds = []
    for run in range(runs + 3):
        linear = nn.Linear(columns, rows, bias=False, device="meta")
        linear.weight = nn.Parameter(weight, requires_grad=False)
        begin = time.perf_counter()
        quantize_(linear, config)
        seconds.append(time.perf_counter() - begin)
    measured = sorted(seconds[3:])
    median, best = measured[len(measured) // 2], measured[0]
    size = weight.numel() * 4 / 1e9
    print(f"torchao {name:10}  {rows}x{columns}  {threads} threads  median {median * 1e3:7.1f} ms  "
          f"{size / median:5.2f} GB/s  best {size / best:5.2f} GB/s")
