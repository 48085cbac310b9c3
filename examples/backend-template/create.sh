#!/usr/bin/env bash
# Copies this backend into a new folder, with your package and your id instead of 'com.example.bf16' and 'bf16'.
set -euo pipefail

usage() {
  echo "usage: create.sh FOLDER PACKAGE ID, as in: create.sh ../my-backend org.acme.ternary ternary" >&2
  echo "error: $1" >&2
  exit 2
}

[[ $# == 3 ]] || usage "expected three arguments, but got $#"
folder=$1 package=$2 id=$3
[[ ! -e $folder ]] || usage "$folder exists already"
[[ $package =~ ^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*$ ]] || usage "'$package' is not the name of a package"
[[ $id =~ ^[a-z][a-z0-9]*$ ]] || usage "'$id' must consist of lower case letters and digits, because it becomes part of class names"

template=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
class=$(tr '[:lower:]' '[:upper:]' <<<"${id:0:1}")${id:1}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$template"
# The package is inserted last, because it may contain 'bf16'.
find pom.xml bf16.yaml src -type f | while read -r file; do
  copy=$folder/$(sed -e "s|com/example/bf16|@package@|" -e "s|Bf16|$class|" -e "s|bf16|$id|" -e "s|@package@|${package//.//}|" <<<"$file")
  mkdir -p "$(dirname "$copy")"
  sed -e "s|com\.example\(\.bf16\)\{0,1\}|@package@|g" -e "s|Bf16|$class|g" -e "s|bf16|$id|g" -e "s|@package@|$package|g" "$file" >"$copy"
done
echo "created the backend '$id' in $folder; run 'mvn verify' there to test it and to build the plugin target/$id"
