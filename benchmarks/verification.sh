#!/usr/bin/env bash
# The share of verification in a run: static int8 of the MiniLM encoder, calibrated with 64 texts, with and without --no-verify in
# turns. Prints the median seconds of both and the share.
#   benchmarks/verification.sh [ROUNDS]      (default: 5)
# Python: $KVANT_PEERS_PYTHON, with onnx and tokenizers. The command: $KVANT, ./kvant by default.
set -euo pipefail
cd "$(dirname "$0")/.."
. benchmarks/peers/minilm-onnx.sh
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

for ((round = 0; round < ${1:-5}; round++)); do
  for way in verified plain; do
    options=()
    [ "$way" = verified ] || options=(--no-verify)
    "$python" benchmarks/peers/timed.py "$out/$way" "${KVANT:-./kvant}" quantize -c benchmarks/specs/minilm-static.yaml \
      --model "$data/minilm.onnx" --calibration "$data/full-64.npz" --out "$out/result" ${options[@]+"${options[@]}"}
  done
done
"$python" - "$out" <<'END'
import statistics
import sys
from pathlib import Path

verified, plain = (
    statistics.median(float(line.split()[0]) for line in (Path(sys.argv[1]) / way).read_text().splitlines())
    for way in ("verified", "plain"))
print(f"verified {verified:.2f} s, not verified {plain:.2f} s: verification takes {100 * (verified - plain) / verified:.1f} % of a run")
END
