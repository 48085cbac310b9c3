package dev.kvant.torch.runtime;

import dev.kvant.api.UnsupportedModelException;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A model that DJL's PyTorch engine has loaded. Its classes may belong to another class loader,
 * such as the application's, so it is accessed by reflection.
 */
final class DjlModel {

  private static final String MODEL = "ai.djl.Model";
  private static final String MANAGER = "ai.djl.ndarray.NDManager";
  private static final String ENGINE = "ai.djl.engine.Engine";

  private final Object model;

  private DjlModel(Object model) {
    this.model = model;
  }

  /** The object as a model; empty if it is not a model, or one of another engine. */
  static Optional<DjlModel> of(Object object) {
    Objects.requireNonNull(object, "model");
    if (type(object.getClass(), MODEL).isEmpty()) {
      return Optional.empty();
    }
    Object manager = Objects.requireNonNull(ask(object, MODEL, "getNDManager"));
    Object engine = Objects.requireNonNull(ask(manager, MANAGER, "getEngine"));
    return "PyTorch".equals(ask(engine, ENGINE, "getEngineName"))
        ? Optional.of(new DjlModel(object))
        : Optional.empty();
  }

  /**
   * The file of the model, found as DJL finds it: by the model's name, its folder's name or as
   * {@code model.pt}; a model that was loaded under another name is the only {@code .pt} file of
   * its folder.
   *
   * @throws UnsupportedModelException if there is no such file
   */
  Path file() {
    String name = String.valueOf(ask(model, MODEL, "getName"));
    if (!(ask(model, MODEL, "getModelPath") instanceof Path place)) {
      throw new UnsupportedModelException(
          "the DJL model '%s' has not been loaded; load it, or pass the java.nio.file.Path of its file"
              .formatted(name));
    }
    if (Files.isRegularFile(place)) {
      return place;
    }
    return Stream.of(name, String.valueOf(place.getFileName()), "model")
        .flatMap(stem -> Stream.of(stem, stem + ".pt"))
        .map(place::resolve)
        .filter(Files::isRegularFile)
        .findFirst()
        .orElseGet(() -> onlyFile(name, place));
  }

  private static Path onlyFile(String name, Path folder) {
    List<Path> files = torchFiles(folder);
    if (files.isEmpty()) {
      throw new UnsupportedModelException(
          ("the DJL model '%s' was loaded from a stream, or its file is gone: there is none in %s;"
                  + " pass the java.nio.file.Path of the TorchScript file instead")
              .formatted(name, folder));
    }
    if (files.size() > 1) {
      throw new UnsupportedModelException(
          ("which of %s in %s the DJL model '%s' was loaded from is ambiguous; pass the"
                  + " java.nio.file.Path of the TorchScript file instead")
              .formatted(files.stream().map(Path::getFileName).toList(), folder, name));
    }
    return files.get(0);
  }

  private static List<Path> torchFiles(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".pt") && Files.isRegularFile(file))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UnsupportedModelException("%s cannot be read: %s".formatted(folder, e), e);
    }
  }

  private static @Nullable Object ask(Object target, String type, String method) {
    try {
      return type(target.getClass(), type).orElseThrow().getMethod(method).invoke(target);
    } catch (InvocationTargetException e) {
      throw new UnsupportedModelException(
          "the DJL model does not answer %s: %s".formatted(method, e.getCause()), e);
    } catch (ReflectiveOperationException e) {
      throw new UnsupportedModelException(
          "the DJL of this model is of a version without %s.%s".formatted(type, method), e);
    }
  }

  private static Optional<Class<?>> type(Class<?> from, String name) {
    for (@Nullable Class<?> type = from; type != null; type = type.getSuperclass()) {
      if (type.getName().equals(name)) {
        return Optional.of(type);
      }
      for (Class<?> implemented : type.getInterfaces()) {
        Optional<Class<?>> found = type(implemented, name);
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }
}
