"""Times torchao's quantize_ on one nn.Linear and prints one line per measurement.

    python quantize_matrix.py CODES ROWS COLUMNS SECONDS [THREADS]

CODES is one of int8, float8_e4m3fn, float8_e5m2. Each line is the number of seconds that one call
of quantize_ took; the weights are float32 and exist before the clock starts.
"""

import logging
import sys
import time
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import torch  # noqa: E402
from torchao.quantization import (  # noqa: E402
    Float8WeightOnlyConfig,
    Int8WeightOnlyConfig,
    quantize_,
)

CONFIGS = {
    "int8": Int8WeightOnlyConfig,
    "float8_e4m3fn": lambda: Float8WeightOnlyConfig(weight_dtype=torch.float8_e4m3fn),
    "float8_e5m2": lambda: Float8WeightOnlyConfig(weight_dtype=torch.float8_e5m2),
}


def main():
    codes, rows, columns, seconds = sys.argv[1], *map(int, sys.argv[2:5])
    torch.set_num_threads(int(sys.argv[5]) if len(sys.argv) > 5 else 2)
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(rows, columns) * 0.02, requires_grad=False)
    linear = torch.nn.Linear(1, 1, bias=False)

    def once():
        linear.weight = weight
        start = time.perf_counter()
        quantize_(linear, CONFIGS[codes]())
        return time.perf_counter() - start

    once()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        print(once())


if __name__ == "__main__":
    main()
