package dev.kvant.report;

import dev.kvant.spi.JarVersion;
import dev.kvant.spi.Processor;

/** Where figures were measured, for programs. */
final class EnvironmentDocument {

  private EnvironmentDocument() {}

  /** This process and its machine. */
  static JsonDocument ofThisProcess() {
    Processor processor = Processor.ofThisProcess();
    return new JsonDocument()
        .put("kvant", JarVersion.of(EnvironmentDocument.class))
        .put("java", Runtime.version())
        .put("os", System.getProperty("os.name"))
        .put("architecture", processor.architecture())
        .put("processor", processor.model())
        .put("processors", Runtime.getRuntime().availableProcessors());
  }
}
