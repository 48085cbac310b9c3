#!/usr/bin/env bash
# The MiniLM encoder with all Linear modules in int8, weights and activations: accuracy, speed, size and the cost of calibration, beside
# ModelOpt in Python on the same tokens.
#
#   benchmarks/compare-modelopt.sh
#
#   KVANT_PEERS_PYTHON  interpreter that has torch, transformers and nvidia-modelopt; required
#   MVN                 Maven's command, mvn by default
set -euo pipefail
cd "$(dirname "$0")/.."
python=${KVANT_PEERS_PYTHON:?set it to an interpreter that has torch, transformers and nvidia-modelopt}
data=benchmarks/data/minilm
model=$data/minilm_traced.pt
[ -e "$data/calibration" ] && [ -e "$model" ] || "$python" -W ignore benchmarks/peers/make_minilm.py >&2

echo "$(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
echo "| weights | algorithm | cosine mean | cosine min | MB |"
echo "|---|---|---:|---:|---:|"
for weights in per_tensor per_channel; do
  for algorithm in minmax percentile mse entropy; do
    out=$data/$weights-$algorithm
    ./kvant quantize -c benchmarks/specs/minilm-modelopt.yaml --format json --model "$model" --out "$out" \
      "quantize.algorithm=$algorithm" "quantize.backend_kwargs.weights=$weights" 2>/dev/null |
      "$python" -c 'import json, sys
after = json.load(sys.stdin)["evaluation"]["models"][1]
print("| %s | %s | %.4f | %.4f | %.1f |" % (*sys.argv[1:], after["cosine_mean"], after["cosine_min"], after["bytes"] / 1e6))' \
        "$weights" "$algorithm"
  done
done

"${MVN:-mvn}" -q -B -pl benchmarks -am package -DskipTests \
  dependency:build-classpath -Dmdep.outputFile=target/classpath -Dmdep.includeScope=runtime >&2
run() { # CLASS ARGUMENT …
  local name=$1
  shift
  java -cp "benchmarks/target/classes:$(cat benchmarks/target/classpath)" "dev.kvant.benchmarks.$name" "$@"
}
echo
run CompareModels tokens64 1,16 "float32=$model" "int8=$data/per_channel-mse/quantized_model_modelopt.pt"
echo
echo "| algorithm | batches | plain passes | calibration over plain passes |"
echo "|---|---:|---:|---:|"
for algorithm in minmax mse; do run CompareCalibration "$model" 8 "$algorithm"; done
echo
echo "| batches | most memory over plain passes, MB |"
echo "|---:|---:|"
for batches in 8 80; do
  plain=$(run CompareCalibration "$model" "$batches" mse plain)
  calibrated=$(run CompareCalibration "$model" "$batches" mse calibrate)
  echo "| $batches | $(((calibrated - plain) / 1000)) |"
done
echo
"$python" -W ignore benchmarks/peers/modelopt_minilm.py "$data"
