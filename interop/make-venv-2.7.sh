#!/usr/bin/env bash
# Installs PyTorch 2.7.1 and ModelOpt 0.33.1 for the checks named *_2_7.py. About 4 GB and 3 minutes, once.
#   make-venv-2.7.sh [DIR]      default: $HOME/.cache/kvant-peers-2.7; prints the interpreter's path
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:-$HOME/.cache/kvant-peers-2.7}
if [ ! -e "$dir/.done" ] || ! cmp -s "$here/requirements-2.7.txt" "$dir/.done"; then
  python3 -m venv --clear "$dir" >&2
  "$dir/bin/pip" install -q --no-deps -r "$here/requirements-2.7.txt" >&2
  "$dir/bin/python" -W ignore -c 'import modelopt.torch.opt, modelopt.torch.quantization, transformers' >&2
  cp "$here/requirements-2.7.txt" "$dir/.done"
fi
echo "$dir/bin/python"
