#!/bin/sh
# Makes Kvant with a Java runtime of its own, for machines without Java: distribution/image.sh [FOLDER], by default distribution/target/image.
# Writes a tarball and, where dpkg-deb is installed, a Debian package. They are for the platform that they are made on.
set -eu

fail() {
  echo "error: $1" >&2
  exit 1
}

here=$(cd "$(dirname "$0")" && pwd -P)
built=$here/target/kvant
out=${1:-$here/target/image}
[ -x "$built/bin/kvant" ] || fail "there is no $built; build it with ./kvant --version"
jdk=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v jlink || echo /none/none)")")")}
[ -x "$jdk/bin/jlink" ] || fail "cannot find jlink; install a JDK 17 or newer, or set JAVA_HOME"
[ -d "$jdk/jmods" ] || fail "$jdk has no folder jmods; install a JDK that has one, such as Debian's openjdk-17-jdk-headless"

# The modules that the jars of the command and of its plugins name, by jdeps.
modules=java.compiler,java.desktop,java.logging,java.management,java.scripting,jdk.unsupported,jdk.zipfs

version=$(basename "$built"/lib/kvant-cli-*.jar .jar)
version=${version#kvant-cli-}
machine=$(uname -m)
name=kvant-$version-$(uname -s | tr '[:upper:]' '[:lower:]')-$machine

rm -rf "$out"
mkdir -p "$out/$name"
cp -R "$built/bin" "$built/lib" "$built/plugins" "$built/LICENSE" "$built/README.md" "$built/CHANGELOG.md" "$out/$name/"
"$jdk/bin/jlink" --add-modules "$modules" --strip-java-debug-attributes --no-header-files --no-man-pages --output "$out/$name/runtime"
# Java's own classes as an archive, so that it need not read and verify them at each start.
"$out/$name/runtime/bin/java" -Xshare:dump >/dev/null 2>&1 || true
# The jars are compressed already.
tar -C "$out" -cf - "$name" | gzip -1 >"$out/$name.tar.gz"
echo "$out/$name.tar.gz"

if command -v dpkg-deb >/dev/null; then
  package=$out/package
  mkdir -p "$package/DEBIAN" "$package/opt" "$package/usr/bin"
  cp -R "$out/$name" "$package/opt/kvant"
  ln -s ../../opt/kvant/bin/kvant "$package/usr/bin/kvant"
  cat >"$package/DEBIAN/control" <<CONTROL
Package: kvant
Version: $(echo "$version" | tr '[:upper:]-' '[:lower:]~')
Architecture: $(dpkg --print-architecture)
Maintainer: Kvant
Section: science
Priority: optional
Depends: libc6, libstdc++6, libgomp1, zlib1g
Description: post-training quantization of trained models
 Reads TorchScript, PyTorch checkpoints, safetensors, ONNX and GGUF, and writes
 smaller and faster models for ONNX Runtime, PyTorch, DJL, vLLM and llama.cpp.
CONTROL
  dpkg-deb --root-owner-group -Zgzip -z1 --build "$package" "$out/$name.deb" >/dev/null
  rm -rf "$package"
  echo "$out/$name.deb"
fi
rm -rf "${out:?}/$name"
