package dev.kvant.maven;

import dev.kvant.api.InvalidConfigurationException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** Words errors for people who configure the plugin in a POM. */
final class Messages {

  private static final String DATA = "quantize.calibration.path";

  private Messages() {}

  /** What went wrong, all of it, and what to do. */
  static String of(Exception failure) {
    if (failure instanceof InvalidConfigurationException invalid) {
      return problems(invalid);
    }
    if (failure instanceof UncheckedIOException && failure.getCause() != null) {
      return failure.getMessage() + ": " + failure.getCause();
    }
    return String.valueOf(failure.getMessage());
  }

  private static String problems(InvalidConfigurationException invalid) {
    List<String> lines = new ArrayList<>(invalid.lines());
    if (invalid.problems().stream().anyMatch(problem -> problem.path().equals(DATA))) {
      lines.add("In the POM, <data> names the calibration data");
    }
    if (invalid.problems().stream().anyMatch(problem -> problem.path().endsWith("backend"))) {
      lines.add("In the POM, backends are <dependencies> of kvant-maven-plugin");
    }
    return lines.size() == 1 ? lines.get(0) : "\n  - " + String.join("\n  - ", lines);
  }
}
