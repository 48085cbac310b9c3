# Sourced by the checks of the plugins: installs Kvant's artifacts into a local Maven repository of their own, and unpacks the distribution.
# The usual local repository is only read. Several checks in one run share the artifacts.

examples=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$examples/.." && pwd)
repository=$examples/target/repository

# Maven with that repository.
own() {
  mvn -B -q -ntp -gs "$examples/check-settings.xml" "-Dmaven.repo.local=$repository" "$@"
}

# Installs the artifacts that a backend may depend on.
publish_kvant() {
  [[ -z ${KVANT_PUBLISHED:-} ]] || return 0
  rm -rf "$repository/dev/kvant"
  (cd "$root" && own -pl .,bom,testing/tck,backend-kit,formats/torch -am -Dmaven.test.skip=true -Dspotless.check.skip=true install)
  export KVANT_PUBLISHED=yes
}

# Unpacks the distribution into that folder, packs it before if necessary, and sets `kvant_home`.
unpack_kvant() {
  compgen -G "$root/distribution/target/kvant-*.zip" >/dev/null ||
    (cd "$root" && mvn -B -q -ntp -pl distribution -am -DskipTests package)
  unzip -q "$root"/distribution/target/kvant-*.zip -d "$1"
  kvant_home=$(compgen -G "$1/kvant-*")
}
