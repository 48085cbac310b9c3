#!/usr/bin/env bash
# Checks the guide: its listings equal this folder's files, and a copy with other names compiles against Kvant's artifacts alone, passes
# the kit, and works in the packed distribution.
set -euo pipefail
cd "$(dirname "$0")"
. ../plugin-check.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

./guide.sh
./create.sh "$work/mine" org.acme.ternary ternary
! grep -ri 'bf16[^"]' "$work/mine" || {
  echo "error: the copy still contains names of the template, see above" >&2
  exit 1
}
publish_kvant
cd "$work/mine"
own verify

unpack_kvant "$work"
cp -r target/ternary "$kvant_home/plugins/"
"$kvant_home/bin/kvant" backends | grep '^ternary '
"$kvant_home/bin/kvant" quantize -c ternary.yaml --model "$root/examples/digits/models/transformer_traced.pt"
test -s results/quantized_model_ternary.safetensors
