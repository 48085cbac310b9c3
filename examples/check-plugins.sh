#!/usr/bin/env bash
# Runs the check of each plugin among the examples.
set -euo pipefail
cd "$(dirname "$0")"
. ./plugin-check.sh

publish_kvant
for check in */check.sh; do
  printf '%s\n' "-- $check"
  "$check"
done
