#!/usr/bin/env bash
# torchvision's networks as TorchScript, quantized by the backend modelopt for the target cpu, beside torch.ao's FX quantization in one libtorch.
#
#   benchmarks/compare-torchscript.sh [NAME...]        resnet18, resnet50 and mobilenet_v2 by default
#
#   KVANT_PEERS_2_7_PYTHON  interpreter that has torch 2.7.1, which is DJL's, and torchvision; required
#   KVANT                   the command, ./kvant by default
set -euo pipefail
cd "$(dirname "$0")/.."
python=${KVANT_PEERS_2_7_PYTHON:?set it to an interpreter that has torch 2.7.1 and torchvision}
data=benchmarks/data/torchscript
[ $# -gt 0 ] || set -- resnet18 resnet50 mobilenet_v2

echo "$(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg), $(grep -om1 'avx512_vnni\|avx_vnni' /proc/cpuinfo || echo 'no VNNI')"
echo "| network | what | ms | speed | size | cosine |"
echo "|---|---|---:|---:|---:|---:|"
for name in "$@"; do
  [ -e "$data/$name.pt" ] || "$python" -W ignore benchmarks/peers/torchscript_vision.py make "$name" "$data" >&2
  "${KVANT:-./kvant}" quantize -c benchmarks/specs/torchscript-static.yaml --model "$data/$name.pt" \
    --calibration "$data/$name.calibration.npz" --out "$data/$name" >&2
  "$python" -W ignore benchmarks/peers/torchscript_vision.py compare "$name" "$data"
done
