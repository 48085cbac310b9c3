package dev.kvant.onnx.runtime;

import ai.onnxruntime.OrtEnvironment;
import java.io.File;
import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The folder that ONNX Runtime unpacks its native libraries to.
 *
 * <p>It would stay behind, empty: ONNX Runtime asks Java to delete the libraries and then the
 * folder when the process ends, and Java does what it was asked for last first.
 */
final class UnpackedLibraries {

  private static final String OWNER = "ai.onnxruntime.OnnxRuntime";

  private static final String FOLDER = "tempDirectory";

  private UnpackedLibraries() {}

  /**
   * Has the libraries deleted before their folder when the process ends. ONNX Runtime must have
   * been started. Does no more the second time, and nothing with a version that keeps its folder
   * elsewhere.
   */
  static void deleteBeforeTheirFolder() {
    folder().ifPresent(UnpackedLibraries::deleteContentFirst);
  }

  private static Optional<Path> folder() {
    try {
      Field folder =
          Class.forName(OWNER, false, OrtEnvironment.class.getClassLoader())
              .getDeclaredField(FOLDER);
      folder.setAccessible(true);
      return folder.get(null) instanceof Path path ? Optional.of(path) : Optional.empty();
    } catch (ReflectiveOperationException | RuntimeException e) {
      // An empty folder that stays behind is no reason to fail.
      return Optional.empty();
    }
  }

  private static void deleteContentFirst(Path folder) {
    String[] names = folder.toFile().list();
    if (names != null) {
      for (String name : names) {
        // Under another name, or Java would keep the place of its first request for the file.
        new File(folder + File.separator + "." + File.separator + name).deleteOnExit();
      }
    }
  }
}
