#!/usr/bin/env bash
# The MiniLM encoder as TorchScript with Linear modules that quantize their inputs at run time, beside torch.ao's quantize_dynamic, both in
# the libtorch of DJL: accuracy, size and speed. No calibration.
#
#   benchmarks/compare-torch-dynamic.sh
#
#   KVANT_PEERS_PYTHON  interpreter that has torch and transformers; required
#   MVN                 Maven's command, mvn by default
set -euo pipefail
cd "$(dirname "$0")/.."
python=${KVANT_PEERS_PYTHON:?set it to an interpreter that has torch and transformers}
data=benchmarks/data/minilm
model=$data/minilm_traced.pt
[ -e "$model" ] || "$python" -W ignore benchmarks/peers/make_minilm.py >&2
[ -e "$data/torch_ao_channel.pt" ] || "$python" -W ignore benchmarks/peers/torch_dynamic_minilm.py "$data" >&2

echo "$(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg), $(grep -om1 'avx512_vnni\|avx_vnni' /proc/cpuinfo || echo 'no VNNI')"
echo "| reduce_range | cosine mean | cosine min | MB |"
echo "|---|---:|---:|---:|"
for range in auto false; do
  ./kvant quantize -c benchmarks/specs/minilm-torchao-dynamic.yaml --format json --model "$model" --out "$data/dynamic-$range" \
    "quantize.backend_kwargs.reduce_range=$range" 2>/dev/null |
    "$python" -c 'import json, sys
after = json.load(sys.stdin)["evaluation"]["models"][1]
print("| %s | %.4f | %.4f | %.1f |" % (sys.argv[1], after["cosine_mean"], after["cosine_min"], after["bytes"] / 1e6))' "$range"
done

"${MVN:-mvn}" -q -B -pl benchmarks -am package -DskipTests \
  dependency:build-classpath -Dmdep.outputFile=target/classpath -Dmdep.includeScope=runtime >&2
echo
java -cp "benchmarks/target/classes:$(cat benchmarks/target/classpath)" dev.kvant.benchmarks.CompareModels tokens64 1,16 \
  "float32=$model" "kvant=$data/dynamic-auto/quantized_model_torchao.pt" \
  "torch.ao-tensor=$data/torch_ao_tensor.pt" "torch.ao-channel=$data/torch_ao_channel.pt"
