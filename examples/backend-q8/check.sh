#!/usr/bin/env bash
# Builds the example against Kvant's artifacts alone, copies it into the packed distribution and quantizes with it.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
. ../plugin-check.sh

publish_kvant
own verify

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unpack_kvant "$work"
cp -r target/q8 "$kvant_home/plugins/"

cd "$root"
"$kvant_home/bin/kvant" backends | grep '^q8 '
"$kvant_home/bin/kvant" quantize -c "$here/q8.yaml" --out "$work/results"
test -s "$work/results/quantized_model_q8.safetensors"
