#!/usr/bin/env bash
# Builds the example against Kvant's artifacts in the local repository, drops it into the packed distribution and quantizes with it.
# Expects that `mvn install` was run in the root folder.
set -euo pipefail
cd "$(dirname "$0")"
root=../..

mvn -B -q -ntp verify

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
unzip -q "$root"/distribution/target/kvant-*.zip -d "$home"
kvant=("$home"/kvant-*)
cp -r target/int4 "${kvant[0]}/plugins/"

cd "$root"
"${kvant[0]}/bin/kvant" backends | grep '^int4 '
"${kvant[0]}/bin/kvant" quantize -c examples/backend-int4/int4.yaml --out "$home/results"
test -s "$home/results/quantized_model_int4.safetensors"
