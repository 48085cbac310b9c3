package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The origin of a failure")
class OriginTest {

  private static StackTraceElement frame(@Nullable String loader, String className) {
    return new StackTraceElement(loader, null, null, className, "work", null, 1);
  }

  private static String origin(StackTraceElement... frames) {
    var failure = new IllegalStateException("bad");
    failure.setStackTrace(frames);
    var wrapper = new IllegalStateException("outer", failure);
    assertThat(Origin.of(wrapper)).isEqualTo(Origin.of(failure));
    return Origin.of(failure);
  }

  @Test
  void is_kvant_where_no_plugin_took_part() {
    assertThat(origin(frame(null, "java.util.List"), frame("app", "dev.kvant.cli.Main")))
        .isEqualTo("Kvant");
    assertThat(origin()).isEqualTo("Kvant");
  }

  @Test
  void is_kvant_where_one_of_its_own_plugins_failed_if_in_a_library() {
    assertThat(
            origin(
                frame("plugin onnx", "com.google.protobuf.Parser"),
                frame("plugin onnx", "dev.kvant.backend.onnx.OnnxFormat"),
                frame("app", "dev.kvant.cli.Main")))
        .isEqualTo("Kvant");
  }

  @Test
  void is_the_plugin_of_somebody_else_that_failed() {
    assertThat(
            origin(
                frame(null, "java.util.List"),
                frame("plugin acme", "org.lib.Parser"),
                frame("plugin acme", "org.acme.Backend"),
                frame("app", "dev.kvant.runtime.Kvant"),
                frame("app", "dev.kvant.cli.Main")))
        .isEqualTo("plugin 'acme'");
  }

  @Test
  void is_kvant_where_a_plugin_called_a_format_of_its_that_failed() {
    assertThat(
            Arrays.asList(
                origin(
                    frame("plugin torch", "dev.kvant.torch.TorchModel"),
                    frame("plugin acme", "org.acme.Backend"))))
        .containsExactly("Kvant");
  }
}
