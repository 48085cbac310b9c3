#!/usr/bin/env bash
# Checks that the listings of docs/writing-a-backend.md equal all files of this folder; with --update replaces them.
set -euo pipefail
cd "$(dirname "$0")"
guide=../../docs/writing-a-backend.md

# A listing is the text between fences below a line that consists of a path.
expected=$(awk '
  /^`[^`]+`$/ { path = substr($0, 2, length($0) - 2); print; next }
  /^```/ && listing { listing = 0; path = ""; print; next }
  /^```/ && path { listing = 1; print; while ((getline line < path) > 0) print line; close(path); next }
  listing { next }
  NF { path = "" }
  { print }' "$guide")

find pom.xml bf16.yaml src -type f | while read -r file; do
  grep -qxF "\`$file\`" <<<"$expected" || {
    echo "error: $guide does not list $file" >&2
    exit 1
  }
done
if [[ ${1:-} == --update ]]; then
  printf '%s\n' "$expected" >"$guide"
elif ! diff "$guide" - <<<"$expected"; then
  echo "error: the listings of $guide differ from the template's files; examples/backend-template/guide.sh --update replaces them" >&2
  exit 1
fi
