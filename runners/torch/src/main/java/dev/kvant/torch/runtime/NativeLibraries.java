package dev.kvant.torch.runtime;

import ai.djl.pytorch.engine.PtEngineProvider;
import ai.djl.util.Utils;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * The native libraries of a class loader, found by the properties beside them.
 *
 * @param loader the class loader that DJL uses
 * @param platform operating system and processor in DJL's names, as in {@code linux-x86_64}
 * @param libraryPath the folder of a libtorch to use instead, or null
 */
record NativeLibraries(ClassLoader loader, String platform, @Nullable String libraryPath) {

  private static final String LIBRARY_PATH = "PYTORCH_LIBRARY_PATH";

  /**
   * The libraries for this process: those beside DJL, which the application may contain, or
   * otherwise those beside this module.
   */
  static NativeLibraries ofThisProcess() {
    NativeLibraries besideDjl = besides(PtEngineProvider.class);
    return besideDjl.missing().isEmpty() ? besideDjl : besides(NativeLibraries.class);
  }

  private static NativeLibraries besides(Class<?> type) {
    return new NativeLibraries(
        type.getClassLoader(),
        platform(System.getProperty("os.name"), System.getProperty("os.arch")),
        Utils.getEnvOrSystemProperty(LIBRARY_PATH));
  }

  static String platform(String osName, String osArch) {
    String name = osName.toLowerCase(Locale.ROOT);
    String system = name.startsWith("win") ? "win" : name.startsWith("mac") ? "osx" : name;
    return system + "-" + (osArch.equals("amd64") ? "x86_64" : osArch);
  }

  /** What is missing and how to get it. */
  Optional<String> missing() {
    if (libraryPath == null && !hasLibtorch()) {
      return Optional.of(
          ("libtorch for %s is not on the class path; add ai.djl.pytorch:pytorch-native-cpu:%s with"
                  + " the classifier %s, or name the folder of a libtorch in %s")
              .formatted(platform, version("pytorch_version"), platform, LIBRARY_PATH));
    }
    if (loader.getResource("jnilib/pytorch.properties") == null) {
      return Optional.of(
          "DJL's binding to libtorch is not on the class path; add ai.djl.pytorch:pytorch-jni:%s-%s"
              .formatted(version("pytorch_version"), version("djl_version")));
    }
    return Optional.empty();
  }

  private boolean hasLibtorch() {
    return properties("native/lib/pytorch.properties").stream()
        .anyMatch(
            library ->
                !library.containsKey("placeholder")
                    && library.getProperty("classifier", "").endsWith(platform));
  }

  private String version(String key) {
    return properties("pytorch-engine.properties").stream()
        .map(engine -> engine.getProperty(key))
        .findFirst()
        .orElse("VERSION");
  }

  private List<Properties> properties(String resource) {
    try {
      return Collections.list(loader.getResources(resource)).stream()
          .map(NativeLibraries::read)
          .toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  private static Properties read(URL url) {
    var properties = new Properties();
    try (InputStream in = url.openStream()) {
      properties.load(in);
    } catch (IOException e) {
      // A jar that cannot be read counts as one without a library.
      return new Properties();
    }
    return properties;
  }
}
