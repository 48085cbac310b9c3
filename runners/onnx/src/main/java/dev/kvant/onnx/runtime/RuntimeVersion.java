package dev.kvant.onnx.runtime;

import dev.kvant.spi.Availability;
import java.lang.module.ModuleDescriptor.Version;
import java.security.CodeSource;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Which ONNX Runtime is on the class path, as far as its jar says without being loaded. */
final class RuntimeVersion {

  /** The oldest version that Kvant and its artifacts are tested with. */
  static final String MINIMUM = "1.19.2";

  /** The first version that finds the tensors of a graph in memory in files. */
  private static final String TENSORS_BESIDE_BYTES = "1.21.0";

  private static final String ENTRY = "ai.onnxruntime.OrtEnvironment";
  private static final String TITLE = "onnxruntime";
  private static final String REMEDY =
      "put com.microsoft.onnxruntime:onnxruntime of version %s or newer on the class path"
          .formatted(MINIMUM);

  private RuntimeVersion() {}

  /**
   * Whether the ONNX Runtime that a class loader finds can be used. No native library is loaded. A
   * version that the jar does not state, as in a fat jar, is not held against it.
   */
  static Availability availability(ClassLoader loader) {
    Class<?> entry;
    try {
      entry = Class.forName(ENTRY, false, loader);
    } catch (ClassNotFoundException | LinkageError e) {
      return Availability.unavailable("ONNX Runtime is missing; " + REMEDY);
    }
    return version(entry)
        .flatMap(version -> fault(version, place(entry)))
        .map(Availability::unavailable)
        .orElseGet(Availability::available);
  }

  /**
   * Why a version cannot be used; empty if it can, or is not written as a version.
   *
   * @param place where it was found, or null
   */
  static Optional<String> fault(String version, @Nullable String place) {
    if (isAtLeast(MINIMUM, version)) {
      return Optional.empty();
    }
    return Optional.of(
        "ONNX Runtime %s%s is too old, the minimum is %s; %s, or exclude the older one from the dependency that brings it"
            .formatted(version, place == null ? "" : " in " + place, MINIMUM, REMEDY));
  }

  /** Whether a model that is loaded from bytes can refer to tensors in files. */
  static boolean findsTensorsBesideBytes(String version) {
    return isAtLeast(TENSORS_BESIDE_BYTES, version);
  }

  /** Whether a version is not older than another; true if it is not written as a version. */
  private static boolean isAtLeast(String minimum, String version) {
    try {
      return Version.parse(version).compareTo(Version.parse(minimum)) >= 0;
    } catch (IllegalArgumentException e) {
      return true;
    }
  }

  /** A fat jar has a manifest of its own, with another title. */
  private static Optional<String> version(Class<?> entry) {
    Package content = entry.getPackage();
    String title = content == null ? null : content.getImplementationTitle();
    return title == null || !title.startsWith(TITLE)
        ? Optional.empty()
        : Optional.ofNullable(content.getImplementationVersion());
  }

  private static @Nullable String place(Class<?> entry) {
    CodeSource source = entry.getProtectionDomain().getCodeSource();
    return source == null || source.getLocation() == null ? null : source.getLocation().toString();
  }
}
