package dev.kvant.integration;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * A jar of the class path, or a folder of classes that will be one.
 *
 * @param path where it is
 */
record ClassPathElement(Path path) {

  /** How several files of one name in several jars become one. */
  enum Clash {
    /** The last one wins, as in a jar that is made without further thought. */
    LAST,
    /** Services files are put together, all else as in {@link #LAST}. */
    MERGE_SERVICES
  }

  /** The element that a class came from. */
  static ClassPathElement of(Class<?> type) {
    try {
      return new ClassPathElement(
          Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()));
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** All elements of this process. */
  static List<ClassPathElement> all() {
    String separator = System.getProperty("path.separator");
    return Arrays.stream(System.getProperty("java.class.path").split(separator, -1))
        .map(element -> new ClassPathElement(Path.of(element)))
        .filter(element -> Files.exists(element.path()))
        .toList();
  }

  /** Whether one of the words is part of the path. */
  boolean isNamed(String... words) {
    return Arrays.stream(words).anyMatch(path.toString()::contains);
  }

  /** Writes elements into one jar. */
  static void pour(List<ClassPathElement> elements, Path jar, Clash clash) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (ClassPathElement element : elements) {
      element
          .files()
          .forEach(
              (name, content) -> {
                boolean merge =
                    clash == Clash.MERGE_SERVICES && name.startsWith("META-INF/services/");
                files.merge(name, content, merge ? ClassPathElement::lines : (old, now) -> now);
              });
    }
    try {
      Files.createDirectories(jar.getParent());
      try (OutputStream out = Files.newOutputStream(jar);
          ZipOutputStream zip = new ZipOutputStream(out)) {
        zip.setLevel(Deflater.BEST_SPEED);
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
          zip.putNextEntry(new ZipEntry(file.getKey()));
          zip.write(file.getValue());
          zip.closeEntry();
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] lines(byte[] one, byte[] other) {
    byte[] both = Arrays.copyOf(one, one.length + 1 + other.length);
    both[one.length] = '\n';
    System.arraycopy(other, 0, both, one.length + 1, other.length);
    return both;
  }

  /** What it holds, by name. */
  Map<String, byte[]> files() {
    try {
      return Files.isDirectory(path) ? filesOfFolder() : filesOfJar();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Map<String, byte[]> filesOfFolder() throws IOException {
    Map<String, byte[]> files = new LinkedHashMap<>();
    try (Stream<Path> entries = Files.walk(path)) {
      for (Path file : entries.filter(Files::isRegularFile).toList()) {
        files.put(path.relativize(file).toString().replace('\\', '/'), Files.readAllBytes(file));
      }
    }
    return files;
  }

  private Map<String, byte[]> filesOfJar() throws IOException {
    Map<String, byte[]> files = new LinkedHashMap<>();
    try (ZipFile zip = new ZipFile(path.toFile())) {
      for (Enumeration<? extends ZipEntry> entries = zip.entries(); entries.hasMoreElements(); ) {
        ZipEntry entry = entries.nextElement();
        if (!entry.isDirectory() && !isAboutTheJar(entry.getName())) {
          files.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
        }
      }
    }
    return files;
  }

  /** Manifests, signatures and module descriptors say something that is not true of another jar. */
  private static boolean isAboutTheJar(String name) {
    return name.equals("META-INF/MANIFEST.MF")
        || name.endsWith("module-info.class")
        || name.matches("META-INF/[^/]+\\.(SF|RSA|DSA|EC)");
  }
}
