/**
 * The engine: discovery, documents, the planner, evaluation; enter by {@link
 * dev.kvant.runtime.Kvant}.
 */
module dev.kvant.runtime {
  requires com.google.gson;
  requires transitive dev.kvant.spi;
  requires dev.kvant.numerics;
  requires dev.kvant.validation;
  requires org.slf4j;
  requires org.yaml.snakeyaml;
  requires static transitive org.jspecify;

  exports dev.kvant.runtime;
  exports dev.kvant.runtime.config;
  exports dev.kvant.runtime.data;
  exports dev.kvant.runtime.discovery;
  exports dev.kvant.runtime.evaluation;
  exports dev.kvant.runtime.provenance;
  exports dev.kvant.runtime.report;
  exports dev.kvant.runtime.tuning;

  uses dev.kvant.spi.DataReaderProvider;
  uses dev.kvant.spi.ModelFormat;
  uses dev.kvant.spi.ModelRunnerProvider;
  uses dev.kvant.spi.ModelSource;
  uses dev.kvant.spi.QuantizationBackend;

  provides dev.kvant.spi.DataReaderProvider with
      dev.kvant.runtime.data.NumpyReaderProvider;
}
