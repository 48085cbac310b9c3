#!/usr/bin/env bash
# Does what the guide says: its listings are this folder's files, and a copy with names of its own compiles against Kvant's artifacts alone,
# passes the kit, and works in the packed distribution.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
. ../plugin-check.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A listing is what stands between fences below a line that has nothing but a path.
mkdir "$work/guide"
awk -v into="$work/guide" '
  /^`[^`]+`$/ { path = into "/" substr($0, 2, length($0) - 2); next }
  /^```/ && listing { close(path); path = ""; listing = 0; next }
  /^```/ && path { listing = 1; folder = path; sub("/[^/]*$", "", folder); system("mkdir -p \"" folder "\""); next }
  listing { print > path; next }
  NF { path = "" }' "$root/docs/writing-a-backend.md"
for file in pom.xml bf16.yaml src; do
  diff -r "$file" "$work/guide/$file" || {
    echo "error: the listings of docs/writing-a-backend.md differ from the template, see above" >&2
    exit 1
  }
done

./create.sh "$work/mine" org.acme.ternary ternary
! grep -ri 'bf16[^"]' "$work/mine" || {
  echo "error: the copy still speaks of the template, see above" >&2
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
