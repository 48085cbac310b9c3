#!/usr/bin/env bash
# Calibrates on two parts of the data in two processes, merges what they observed, and compares the artifact with that of one process on
# all data. Any scheduler can run the processes, on machines of their own. Give the command in KVANT if it is not ./kvant.
set -euo pipefail
cd "$(dirname "$0")/../.."
kvant=${KVANT:-./kvant}
spec=examples/digits/images-onnx-int8.yaml
images=examples/digits/images/calibration
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Each part has the images of five digits.
mkdir -p "$work/data/1" "$work/data/2"
cp -r "$images"/[0-4] "$work/data/1"
cp -r "$images"/[5-9] "$work/data/2"

# One image at a time, so that the batches of the parts are those of the whole.
declare -a processes=()
for part in 1 2; do
  "$kvant" calibrate -c "$spec" --calibration "$work/data/$part" --statistics "$work/$part.statistics" \
    quantize.calibration.batch_size=1 &
  processes+=($!)
done
for process in "${processes[@]}"; do
  wait "$process"
done
# The record in an artifact has the result of its verification, which depends on the samples.
"$kvant" quantize -c "$spec" --no-verify --out "$work/parts" quantize.calibration=null \
  --statistics "$work/1.statistics" --statistics "$work/2.statistics"

"$kvant" quantize -c "$spec" --no-verify --out "$work/whole" quantize.calibration.batch_size=1 > /dev/null
cmp "$work/parts/quantized_model.onnx" "$work/whole/quantized_model.onnx"
printf 'both artifacts are equal\n'
