package dev.kvant.runtime.discovery;

/** Source texts of small backends. */
final class BackendSource {

  private BackendSource() {}

  /** A backend that works. */
  static String of(String className, String id, String... aliases) {
    return doing(className, id, "", "", aliases);
  }

  /**
   * A backend.
   *
   * @param constructor what its constructor does
   * @param members further members
   */
  static String doing(
      String className, String id, String constructor, String members, String... aliases) {
    int dot = className.lastIndexOf('.');
    String quoted = aliases.length == 0 ? "" : "\"" + String.join("\", \"", aliases) + "\"";
    return """
        package %1$s;

        import dev.kvant.api.*;
        import dev.kvant.spi.*;
        import java.util.*;

        public class %2$s implements QuantizationBackend {
          public %2$s() { %4$s }

          public BackendDescriptor descriptor() {
            return new BackendDescriptor(
                "%3$s", List.of(%6$s), "1", "For the test.",
                Map.of(
                    QuantizationMode.WEIGHT_ONLY_PTQ,
                    ModeDescriptor.builder().weights(List.of(Dtype.INT8)).build()),
                List.of("any"), List.of(), List.of(), List.of());
          }

          public Support supports(SupportQuery query) { return Support.yes(); }

          public QuantizationRun begin(QuantizableModel model, QuantizationPlan plan, RunContext context) {
            return new QuantizationRun() {
              public void quantize() { throw new UnsupportedOperationException(); }
              public SavedModel save(java.nio.file.Path directory) { throw new UnsupportedOperationException(); }
              public void close() {}
            };
          }
          %5$s
        }
        """
        .formatted(
            className.substring(0, dot),
            className.substring(dot + 1),
            id,
            constructor,
            members,
            quoted);
  }
}
