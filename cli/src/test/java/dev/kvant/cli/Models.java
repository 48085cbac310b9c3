package dev.kvant.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes text models and specs for them. */
final class Models {

  /** Three modules with weights, two of them Linear, in a container. */
  static final String SMALL =
      """
      encoder Sequential
      encoder.embed Embedding weight:float32:100x8
      encoder.fc1 Linear weight:float32:16x8 bias:float32:16
      fc2 Linear weight:float16:4x16 bias:float16:4
      """;

  private final Path folder;

  Models(Path folder) {
    this.folder = folder;
  }

  /** A model of those lines. */
  Path model(String lines) {
    return model("model.text", lines);
  }

  /** A model of those lines in a file of that name. */
  Path model(String name, String lines) {
    return write(name, "text model\n" + lines);
  }

  /** A spec of those lines. */
  Path spec(String lines) {
    return write("spec.yaml", lines);
  }

  /** A spec that makes every Linear int8. */
  Path spec() {
    return spec(
        """
        quantize:
          backend: text
          model_path: %s
          results_dir: %s
          layers:
            - module_name: Linear
              weights: { dtype: int8 }
        """
            .formatted(folder.resolve("model.text"), results()));
  }

  /** Where that spec's artifacts go. */
  Path results() {
    return folder.resolve("results");
  }

  Path artifact() {
    return results().resolve(TextBackend.ARTIFACT);
  }

  /** A spec with the comments on paths behind them, where they are unless a path is long. */
  static String commentsBehindPaths(String spec) {
    return spec.replaceAll("(?m)^  (# the .*)\n(  [a-z]+_(?:path|dir): .*)$", "$2  $1");
  }

  private Path write(String name, String text) {
    try {
      return Files.writeString(folder.resolve(name), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
