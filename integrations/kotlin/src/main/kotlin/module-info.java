/** Kvant for Kotlin. */
module dev.kvant.kotlin {
  requires transitive dev.kvant.runtime;
  requires transitive kotlin.stdlib;
  requires transitive kotlinx.coroutines.core;

  exports dev.kvant.kotlin;
}
