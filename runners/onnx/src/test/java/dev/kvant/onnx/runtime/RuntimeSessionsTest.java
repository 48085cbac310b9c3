package dev.kvant.onnx.runtime;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.Device;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class RuntimeSessionsTest {

  @Test
  void says_what_is_missing_where_the_jar_of_onnx_runtime_is_missing() throws Exception {
    try (URLClassLoader loader = withoutRuntime()) {
      Class<?> device = loader.loadClass(Device.class.getName());
      Method open =
          loader
              .loadClass(RuntimeSessions.class.getName())
              .getMethod("openUnoptimized", Path.class, device);

      assertThatThrownBy(
              () -> open.invoke(null, Path.of("model.onnx"), device.getField("CPU").get(null)))
          .cause()
          .hasToString(
              "dev.kvant.api.UnavailableException: ONNX Runtime is missing; put"
                  + " com.microsoft.onnxruntime:onnxruntime of version 1.19.2 or newer on the class"
                  + " path");
    }
  }

  /** The class path of this test without ONNX Runtime, loaded once more. */
  private static URLClassLoader withoutRuntime() throws IOException {
    URL[] entries =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(Path::of)
            .filter(entry -> !entry.getFileName().toString().startsWith("onnxruntime"))
            .map(RuntimeSessionsTest::url)
            .toArray(URL[]::new);
    return new URLClassLoader(entries, ClassLoader.getPlatformClassLoader());
  }

  private static URL url(Path entry) {
    try {
      return entry.toUri().toURL();
    } catch (MalformedURLException e) {
      throw new IllegalStateException(e);
    }
  }
}
