package dev.kvant.spi;

import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * The version of the jar that a class came from, for a {@link BackendDescriptor#version()}.
 *
 * <p>On the module path it is the version that the compiler noted in the module descriptor, or, for
 * a jar without one, the version in the name of its file. Elsewhere it is the value of {@code
 * version} in a file {@code version.properties} beside the class, which a build tool fills in and a
 * fat jar keeps; without that file it is {@code Implementation-Version} of the manifest, which
 * build tools write on request ({@code addDefaultImplementationEntries} of Maven's jar plugin) and
 * a fat jar replaces by its own.
 *
 * @since 0.1.0
 */
public final class JarVersion {

  /** The version of classes that come from a folder, or from a jar without a version. */
  public static final String UNKNOWN = "development";

  private static final String FILE = "version.properties";

  private JarVersion() {}

  /**
   * The version of the jar of a class.
   *
   * @param type a class of the jar
   * @return the version as written by the author of the jar, or {@link #UNKNOWN}
   */
  public static String of(Class<?> type) {
    ModuleDescriptor module = type.getModule().getDescriptor();
    if (module != null) {
      return module.rawVersion().orElse(UNKNOWN);
    }
    return Optional.ofNullable(ofFile(type)).or(() -> ofManifest(type)).orElse(UNKNOWN);
  }

  private static @Nullable String ofFile(Class<?> type) {
    try (InputStream in = type.getResourceAsStream(FILE)) {
      if (in == null) {
        return null;
      }
      Properties properties = new Properties();
      properties.load(in);
      return properties.getProperty("version");
    } catch (IOException | IllegalArgumentException e) {
      // A version is not worth failing for.
      return null;
    }
  }

  private static Optional<String> ofManifest(Class<?> type) {
    return Optional.ofNullable(type.getPackage()).map(Package::getImplementationVersion);
  }
}
