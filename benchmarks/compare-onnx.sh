#!/usr/bin/env bash
# Static int8 of the MiniLM encoder for the CPU, by Kvant and by onnxruntime.quantization: similarity to float32 on 80 texts that
# were not used for calibration, and speed. Runs of all models alternate in one process.
#   benchmarks/compare-onnx.sh [ROUNDS]      (default: 40)
# Python: $KVANT_PEERS_PYTHON, an onnxruntime 1.32 with onnx and tokenizers.
set -euo pipefail
cd "$(dirname "$0")/.."
. benchmarks/peers/minilm-onnx.sh
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

models=()
for recipe in default best; do
  "$python" -W ignore benchmarks/peers/onnxruntime_static.py "$data/minilm.onnx" "$out/$recipe.onnx" "$data/full-64.npz" $recipe MinMax >&2
  models+=("peer-$recipe=$out/$recipe.onnx")
done
for algorithm in minmax mse percentile entropy; do
  ./kvant quantize -c benchmarks/specs/minilm-static.yaml --model "$data/minilm.onnx" --calibration "$data/full-64.npz" \
    --out "$out/$algorithm" quantize.algorithm=$algorithm >"$out/log" 2>&1 || { cat "$out/log" >&2; exit 1; }
  models+=("kvant-$algorithm=$out/$algorithm/quantized_model.onnx")
done
"$python" -W ignore benchmarks/peers/compare_encoders.py "$data/minilm.onnx" "$data/test.npz" "${1:-40}" "${models[@]}"
