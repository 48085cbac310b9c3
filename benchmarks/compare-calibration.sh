#!/usr/bin/env bash
# Entropy calibration of the MiniLM encoder, from the start of the command to the quantized file: seconds and maximum memory of a process,
# in alternating runs of Kvant and onnxruntime.quantization; then Kvant with more texts, and both with texts of different lengths.
#   benchmarks/compare-calibration.sh [RUNS]      (default: 5)
# Python: $KVANT_PEERS_PYTHON, an onnxruntime 1.32 with onnx and tokenizers.
set -euo pipefail
cd "$(dirname "$0")/.."
. benchmarks/peers/minilm-onnx.sh
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

kvant() { # NAME DATA
  "$python" benchmarks/peers/timed.py "$out/$1" ./kvant quantize -c benchmarks/specs/minilm-static.yaml --model "$data/minilm.onnx" \
    --calibration "$data/$2" --out "$out/quantized" quantize.algorithm=entropy quantize.calibration.batch_size=16
}
peer() { # NAME DATA
  "$python" benchmarks/peers/timed.py "$out/$1" "$python" -W ignore benchmarks/peers/onnxruntime_static.py "$data/minilm.onnx" \
    "$out/peer.onnx" "$data/$2" best Entropy
}

./kvant --version >/dev/null 2>&1 # builds if it must, which is not measured
for ((run = 1; run <= ${1:-5}; run++)); do
  kvant kvant-full-64 full-64.npz
  peer peer-full-64 full-64.npz
done
for name in full-1024.npz mixed-64 mixed-1024; do
  kvant "kvant-${name%.npz}" $name
done
mixed=$(peer peer-mixed-64 mixed-64 2>&1 && echo "works" || true)

"$python" - "$out" "$(nproc)" "${mixed##*$'\n'}" <<'PYTHON'
import statistics
import sys
from pathlib import Path

out, cores, mixed = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
print(f"entropy calibration, {cores} cores")
print(f"{'what':<18}{'runs':>5}{'seconds':>9}{'peak MB':>9}  all seconds")
medians = {}
for name in ["peer-full-64", "kvant-full-64", "kvant-full-1024", "kvant-mixed-64", "kvant-mixed-1024"]:
    runs = [tuple(map(float, line.split())) for line in (out / name).read_text().splitlines()]
    medians[name] = statistics.median(seconds for seconds, _ in runs)
    print(f"{name:<18}{len(runs):>5}{medians[name]:>9.2f}{max(memory for _, memory in runs):>9.0f}  {' '.join(str(run[0]) for run in runs)}")
print(f"peer-mixed-64: {mixed}")
print(f"kvant needs {medians['kvant-full-64'] / medians['peer-full-64']:.2f} of the peer's time")
PYTHON
