/** Reports of a quantization, for programs and people. */
module dev.kvant.report {
  requires com.google.gson;
  requires transitive dev.kvant.runtime;
  requires static transitive org.jspecify;

  exports dev.kvant.report;
}
