#!/usr/bin/env bash
# Checks Kvant's artifacts against PyTorch 2.15, torchao 0.18 and ModelOpt 0.47: interop/run.sh [CHECK.py ...], all of them by default.
# The interpreter is $KVANT_PEERS_PYTHON, else the one that ../shared/peers/make-venv.sh installs beside the repository. Checks named
# *_2_7.py are for PyTorch 2.7.1 and ModelOpt 0.33, by $KVANT_PEERS_2_7_PYTHON, else by what interop/make-venv-2.7.sh installs.
set -uo pipefail
cd "$(dirname "$0")/.."
python=${KVANT_PEERS_PYTHON:-}
if [ -z "$python" ]; then
  installer=../shared/peers/make-venv.sh
  if [ ! -e "$installer" ]; then
    echo "interop is skipped: KVANT_PEERS_PYTHON is not set, and there is no $installer to install the peers with"
    exit 0
  fi
  python=$(bash "$installer") || { echo "interop failed: $installer did not install the peers" >&2; exit 1; }
fi

[ $# -gt 0 ] || set -- interop/check_*.py
passed=0 failed=0
log=$(mktemp)
# What several checks look at is made once.
KVANT_INTEROP_OUTPUTS=$(mktemp -d)
export KVANT_INTEROP_OUTPUTS
trap 'rm -rf "$log" "$KVANT_INTEROP_OUTPUTS"' EXIT
python_2_7=${KVANT_PEERS_2_7_PYTHON:-}
for check in "$@"; do
  echo "== ${check##*/}"
  interpreter=$python
  if [[ $check == *_2_7.py ]]; then
    if [ -z "$python_2_7" ] && ! python_2_7=$(interop/make-venv-2.7.sh); then
      echo "FAIL  PyTorch 2.7.1 and ModelOpt 0.33 could not be installed; KVANT_PEERS_2_7_PYTHON can name an interpreter that has them"
      python_2_7=
      failed=$((failed + 1))
      continue
    fi
    interpreter=$python_2_7
  fi
  "$interpreter" -W ignore "$check" 2>&1 | tee "$log" | sed '$d'
  # A check that broke off has no closing line: that is one failure more.
  if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
  else
    tail -n 1 "$log"
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
