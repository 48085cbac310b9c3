#!/usr/bin/env bash
# Recipes of the ONNX backend for the MiniLM encoder: similarity to float32 on 80 texts, with 64 others as data, size, and speed of
# alternating runs in one process. Without names, all recipes below.
#   benchmarks/compare-recipes.sh [ROUNDS [NAME ...]]      (default: 40)
# Python: $KVANT_PEERS_PYTHON, an onnxruntime 1.32 with onnx and tokenizers.
set -euo pipefail
cd "$(dirname "$0")/.."
. benchmarks/peers/minilm-onnx.sh
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
rounds=${1:-40}
shift || true

# name | spec | data or none | settings of `quantize`
recipes='
4-symmetric     | weights  | none | backend_kwargs.kernel=nbits backend_kwargs.bits=4 backend_kwargs.symmetric=true
4-minmax        | weights  | none | backend_kwargs.kernel=nbits backend_kwargs.bits=4
4-mse           | weights  | none | backend_kwargs.kernel=nbits backend_kwargs.bits=4 algorithm=mse
4-mse-data      | weights  | data | backend_kwargs.kernel=nbits backend_kwargs.bits=4 algorithm=mse
4-awq           | weights  | data | backend_kwargs.kernel=nbits backend_kwargs.bits=4 algorithm=awq
4-gptq          | weights  | data | backend_kwargs.kernel=nbits backend_kwargs.bits=4 algorithm=gptq
4-gptq-tables   | weights  | data | backend_kwargs.kernel=nbits backend_kwargs.bits=4 algorithm=gptq backend_kwargs.embedding_bits=4
8-blocks        | weights  | none | backend_kwargs.kernel=nbits
8-blocks-float  | weights  | none | backend_kwargs.kernel=nbits backend_kwargs.accuracy_level=1
dynamic         | products | none | mode=dynamic_ptq
dynamic-smooth  | products | data | mode=dynamic_ptq backend_kwargs.smooth=auto
static          | products | data | mode=static_ptq
static-mse      | products | data | mode=static_ptq algorithm=mse
static-7-bits   | products | data | mode=static_ptq backend_kwargs.reduce_range=true
static-smooth   | products | data | mode=static_ptq backend_kwargs.smooth=auto
static-0.8      | products | data | mode=static_ptq backend_kwargs.smooth=0.8
'

models=()
while IFS='|' read -r name spec needs settings; do
  read -r name spec needs <<<"$name $spec $needs"
  [ -n "$name" ] || continue
  [ $# -eq 0 ] || printf '%s\n' "$@" | grep -qxF -- "$name" || continue
  arguments=()
  [ "$needs" = none ] || arguments+=(--calibration "$data/full-64.npz")
  for setting in $settings; do
    arguments+=("quantize.$setting")
  done
  ./kvant quantize -c "benchmarks/specs/minilm-$spec.yaml" --model "$data/minilm.onnx" --out "$out/$name" --no-verify \
    "${arguments[@]}" >"$out/log" 2>&1 || { cat "$out/log" >&2; exit 1; }
  models+=("$name=$out/$name/quantized_model.onnx")
done <<<"$recipes"
"$python" -W ignore benchmarks/peers/compare_encoders.py "$data/minilm.onnx" "$data/test.npz" "$rounds" "${models[@]}"
