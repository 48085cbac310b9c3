#!/usr/bin/env bash
# Calibrates on two parts of the data in two processes, merges what they observed, and compares the
# artifact with that of one process on all data. Give the command in KVANT if it is not ./kvant.
set -euo pipefail
cd "$(dirname "$0")/../.."
kvant=${KVANT:-./kvant}
spec=examples/digits/onnx-static-int8.yaml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/data"
cp examples/digits/data/calibration.npz "$work/data/1.npz"
cp examples/digits/data/test.npz "$work/data/2.npz"

"$kvant" calibrate -c "$spec" --calibration "$work/data/1.npz" --statistics "$work/1.statistics" &
"$kvant" calibrate -c "$spec" --calibration "$work/data/2.npz" --statistics "$work/2.statistics"
wait "$!"
# The record in an artifact has the result of its verification, which depends on the samples.
"$kvant" quantize -c "$spec" --no-verify --out "$work/parts" quantize.calibration=null \
  --statistics "$work/1.statistics" --statistics "$work/2.statistics"

"$kvant" quantize -c "$spec" --no-verify --calibration "$work/data" --out "$work/whole" > /dev/null
cmp "$work/parts/quantized_model.onnx" "$work/whole/quantized_model.onnx"
printf 'both artifacts are equal\n'
