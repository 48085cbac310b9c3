#!/usr/bin/env bash
# Installs Kvant into a local Maven repository of its own, builds the example against nothing else, drops it into the packed distribution
# and quantizes with it. The usual local repository is only read. Packs the distribution if `mvn verify` has not done so.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
root=$(cd ../.. && pwd)
repository=$here/target/repository

own() {
  mvn -B -q -ntp -gs "$here/check-settings.xml" "-Dmaven.repo.local=$repository" "$@"
}

cd "$root"
ls distribution/target/kvant-*.zip >/dev/null 2>&1 || mvn -B -q -ntp -pl distribution -am -DskipTests package
rm -rf "$repository/dev/kvant"
own -pl .,bom,tck,torch-format -am -DskipTests -Dspotless.check.skip=true install

cd "$here"
own verify

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
unzip -q "$root"/distribution/target/kvant-*.zip -d "$home"
kvant=("$home"/kvant-*)
cp -r target/int4 "${kvant[0]}/plugins/"

cd "$root"
"${kvant[0]}/bin/kvant" backends | grep '^int4 '
"${kvant[0]}/bin/kvant" quantize -c examples/backend-int4/int4.yaml --out "$home/results"
test -s "$home/results/quantized_model_int4.safetensors"
