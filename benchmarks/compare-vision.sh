#!/usr/bin/env bash
# Static int8 of vision models for the CPU: by Kvant with each value of `optimize`, and by onnxruntime.quantization (QDQ, uint8 activations,
# a scale for each channel). Similarity to float32 on samples that were not used for calibration, and speed: runs of all models
# alternate in one process, ratios are medians.
#   benchmarks/compare-vision.sh [ROUNDS [THREADS [NAME ...]]]      (default: 30 rounds, 1 thread, the trained models)
# Python: $KVANT_PEERS_PYTHON, an onnxruntime 1.32 with onnx, torch, torchvision and Pillow.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${KVANT_PEERS_PYTHON:?set it to the interpreter that has onnxruntime, onnx, torch, torchvision and Pillow}
rounds=${1:-30}
threads=${2:-1}
names=("${@:3}")
[ ${#names[@]} -gt 0 ] || names=(ppocr_v4_det ppocr_v4_rec ppocr_v6_det ppocr_v6_rec yolov8n ddddocr_det magika efficientnet_lite0)
data=benchmarks/data/vision
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

for name in "${names[@]}"; do
  [ -e "$data/$name.test.npz" ] || "$python" -W ignore benchmarks/peers/make_vision.py "$data" "$name" >&2
  models=()
  if "$python" -W ignore benchmarks/peers/onnxruntime_vision.py "$data/$name.onnx" "$out/peer.onnx" "$data/$name.calibration.npz" static \
    >"$out/log" 2>&1; then
    models+=("peer=$out/peer.onnx")
  else
    echo "$name: the peer fails: $(tail -1 "$out/log")"
  fi
  for optimize in accuracy balanced speed; do
    ./kvant quantize -c benchmarks/specs/vision-static.yaml --no-verify --model "$data/$name.onnx" --calibration "$data/$name.calibration.npz" \
      --out "$out/$optimize" quantize.calibration.batch_size=1 +quantize.backend_kwargs.optimize=$optimize >"$out/log" 2>&1 ||
      { cat "$out/log" >&2; exit 1; }
    models+=("$optimize=$out/$optimize/quantized_model.onnx")
  done
  "$python" -W ignore benchmarks/peers/compare_models.py "$data/$name.onnx" "$data/$name.test.npz" "$rounds" "$threads" "${models[@]}"
done
