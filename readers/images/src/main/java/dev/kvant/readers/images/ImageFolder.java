package dev.kvant.readers.images;

import dev.kvant.api.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The images below a path: one file, a folder of images, or a folder with a folder for each class.
 *
 * @param images the images in order
 * @param isLabelled whether they belong to classes
 */
record ImageFolder(List<LabelledImage> images, boolean isLabelled) {

  private static final Set<String> EXTENSIONS = Set.of("png", "jpg", "jpeg", "bmp", "gif", "webp");

  /**
   * An image.
   *
   * @param file the file
   * @param label the position of its class among the classes in alphabetical order; 0 without
   *     classes
   */
  record LabelledImage(Path file, long label) {}

  /** Whether there is an image at all, looking no further than the first. */
  static boolean exists(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return isImage(path);
    }
    if (!images(path).isEmpty()) {
      return true;
    }
    for (Path folder : classes(path)) {
      if (!images(folder).isEmpty()) {
        return true;
      }
    }
    return false;
  }

  /**
   * Lists the images. The classes of torchvision's {@code ImageFolder} are these: every folder, in
   * the order of names.
   *
   * @throws DataException if there are none
   */
  static ImageFolder list(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return new ImageFolder(List.of(new LabelledImage(path, 0)), false);
    }
    List<Path> loose = images(path);
    if (!loose.isEmpty()) {
      return new ImageFolder(
          loose.stream().map(file -> new LabelledImage(file, 0)).toList(), false);
    }
    List<LabelledImage> labelled = new ArrayList<>();
    List<Path> classes = classes(path);
    for (int label = 0; label < classes.size(); label++) {
      List<Path> files = allImages(classes.get(label));
      if (files.isEmpty()) {
        throw new DataException(
            "there is no image in %s, which is a class of %s; remove it or put some into it"
                .formatted(classes.get(label), path));
      }
      for (Path file : files) {
        labelled.add(new LabelledImage(file, label));
      }
    }
    if (labelled.isEmpty()) {
      throw new DataException(
          "there is no file in %s that ends in one of %s"
              .formatted(path, String.join(", ", EXTENSIONS.stream().sorted().toList())));
    }
    return new ImageFolder(labelled, true);
  }

  private static List<Path> classes(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(Files::isDirectory)
          .filter(entry -> !entry.getFileName().toString().startsWith("."))
          .sorted()
          .toList();
    }
  }

  private static List<Path> images(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.filter(ImageFolder::isImage).sorted().toList();
    }
  }

  private static List<Path> allImages(Path folder) throws IOException {
    try (Stream<Path> entries = Files.walk(folder)) {
      return entries.filter(ImageFolder::isImage).sorted().toList();
    }
  }

  private static boolean isImage(Path file) {
    String name = file.getFileName().toString();
    String extension = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    return EXTENSIONS.contains(extension) && Files.isRegularFile(file);
  }
}
