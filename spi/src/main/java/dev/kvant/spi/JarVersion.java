package dev.kvant.spi;

import java.lang.module.ModuleDescriptor;
import java.util.Optional;

/**
 * The version of the jar that a class came from, for a {@link BackendDescriptor#version()}.
 *
 * <p>Where Java keeps it depends on how the jar was found: on the class path, in a fat jar and in a
 * plugin folder it is {@code Implementation-Version} of the manifest, which build tools write on
 * request ({@code addDefaultImplementationEntries} of Maven's jar plugin); on the module path it is
 * the version that the compiler noted in the module descriptor, or, of a jar without one, the
 * version in the name of its file.
 *
 * @since 0.1.0
 */
public final class JarVersion {

  /** What is said of classes that come from a folder, or from a jar that does not say it. */
  public static final String UNKNOWN = "development";

  private JarVersion() {}

  /**
   * The version of the jar of a class.
   *
   * @param type a class of the jar
   * @return the version as written by who made the jar, or {@link #UNKNOWN}
   */
  public static String of(Class<?> type) {
    ModuleDescriptor module = type.getModule().getDescriptor();
    Optional<String> version =
        module != null
            ? module.rawVersion()
            : Optional.ofNullable(type.getPackage()).map(Package::getImplementationVersion);
    return version.orElse(UNKNOWN);
  }
}
