#!/usr/bin/env bash
# Runs float32 TorchScript models of one Linear each, and Kvant's artifacts of them, through DJL: for each size alternately in one
# process, on libtorch's default number of threads. Prints medians, and the speed of each beside float32.
#
#   benchmarks/compare-linear.sh [ROWS,ROWS…] [NxK …]      (default: 1,16,128 4096x4096 1536x384)
#
#   KVANT_PEERS_PYTHON  interpreter that has torch, required once, to make the models
#   MVN                 Maven's command, mvn by default
#   OMP_NUM_THREADS     threads, those of the machine by default
set -euo pipefail
cd "$(dirname "$0")/.."
rows=${1:-1,16,128}
shift || true
sizes=("${@:-4096x4096}")
[ $# -gt 0 ] || sizes+=(1536x384)
data=benchmarks/data/linear

quantize() { # MODEL DTYPE KERNEL: prints the file it makes
  local out=$data/$2-$3/$(basename "$1" .pt)
  ./kvant quantize -c "benchmarks/specs/linear-$2.yaml" --model "$1" --out "$out" "quantize.backend_kwargs.kernel=$3" >/dev/null
  echo "$out/quantized_model_torchao.pt"
}

"${MVN:-mvn}" -q -B -pl benchmarks -am package -DskipTests \
  dependency:build-classpath -Dmdep.outputFile=target/classpath -Dmdep.includeScope=runtime >&2
for size in "${sizes[@]}"; do
  model=$data/linear_$size.pt
  [ -e "$model" ] || "${KVANT_PEERS_PYTHON:?set it to an interpreter that has torch}" -W ignore \
    benchmarks/peers/make_linear.py "$data" "$size" >&2
  models=("float32=$model")
  models+=("int8 dequantize=$(quantize "$model" int8 dequantize)")
  models+=("int8 int8pack=$(quantize "$model" int8 int8pack)")
  models+=("e4m3 dequantize=$(quantize "$model" fp8_e4m3fn dequantize)")
  echo
  echo "Linear $size, $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
  java -cp "benchmarks/target/classes:$(cat benchmarks/target/classpath)" \
    dev.kvant.benchmarks.CompareModels "${size#*x}" "$rows" "${models[@]}"
done
