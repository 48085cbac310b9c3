#!/usr/bin/env bash
# Makes a backend of your own from this one: a copy in a new folder, with your package and your id in place of 'com.example.bf16' and 'bf16'.
set -euo pipefail

usage() {
  echo "usage: create.sh FOLDER PACKAGE ID, as in: create.sh ../my-backend org.acme.ternary ternary" >&2
  echo "error: $1" >&2
  exit 2
}

[[ $# == 3 ]] || usage "three arguments are needed, not $#"
folder=$1 package=$2 id=$3
[[ ! -e $folder ]] || usage "$folder is there already"
[[ $package =~ ^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*$ ]] || usage "'$package' is no name of a package"
[[ $id =~ ^[a-z][a-z0-9]*$ ]] || usage "'$id' must be lower case letters and digits, since it becomes part of class names too"

template=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
class=$(tr '[:lower:]' '[:upper:]' <<<"${id:0:1}")${id:1}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$template"
# The package goes in last: it may have 'bf16' in it itself.
find pom.xml bf16.yaml src -type f | while read -r file; do
  copy=$folder/$(sed -e "s|com/example/bf16|@package@|" -e "s|Bf16|$class|" -e "s|bf16|$id|" -e "s|@package@|${package//.//}|" <<<"$file")
  mkdir -p "$(dirname "$copy")"
  sed -e "s|com\.example\(\.bf16\)\{0,1\}|@package@|g" -e "s|Bf16|$class|g" -e "s|bf16|$id|g" -e "s|@package@|$package|g" "$file" >"$copy"
done
echo "$folder has the backend '$id'; 'mvn verify' there runs its tests and makes the plugin target/$id"
