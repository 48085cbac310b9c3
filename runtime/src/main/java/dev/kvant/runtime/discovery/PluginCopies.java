package dev.kvant.runtime.discovery;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** Finds jars of a plugin that have other versions of what its parent shares, which win. */
final class PluginCopies {

  private static final String CLASS = ".class";

  /** A class file in a jar. */
  private record Copy(Path jar, long checksum) {}

  /** The class files of the parents, by their names. */
  private final Map<String, Copy> inherited = new HashMap<>();

  /**
   * @param ancestors the parent of the plugin, its parent, and so on
   */
  PluginCopies(List<PluginFolder> ancestors) {
    for (PluginFolder ancestor : ancestors) {
      for (Path jar : ancestor.jars()) {
        classes(jar).forEach(entry -> inherited.putIfAbsent(entry.getName(), copy(jar, entry)));
      }
    }
  }

  private static Copy copy(Path jar, ZipEntry entry) {
    return new Copy(jar, entry.getCrc());
  }

  /**
   * One sentence for each jar with a class that is not used, since the parent shares another one of
   * that name.
   *
   * @param plugin the plugin
   * @param shared whether the parents share the class file of that name
   */
  List<String> remarks(PluginFolder plugin, Predicate<String> shared) {
    List<String> remarks = new ArrayList<>();
    for (Path jar : plugin.jars()) {
      for (ZipEntry entry : classes(jar)) {
        Copy copy = inherited.get(entry.getName());
        if (copy != null && copy.checksum() != entry.getCrc() && shared.test(entry.getName())) {
          remarks.add(
              ("plugin '%s' has another version of %s in %s; it is not used, that of its parent"
                      + " '%s' in %s is. Give that dependency the scope 'provided'")
                  .formatted(
                      plugin.name(),
                      entry.getName().replace(CLASS, "").replace('/', '.'),
                      jar,
                      plugin.parent(),
                      copy.jar()));
          break;
        }
      }
    }
    return remarks;
  }

  /** Descriptors of modules and packages differ in every jar and are no types. */
  private static boolean isOfType(String file) {
    return file.endsWith(CLASS) && !file.startsWith("META-INF/") && !file.endsWith("-info" + CLASS);
  }

  private static List<ZipEntry> classes(Path jar) {
    List<ZipEntry> classes = new ArrayList<>();
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      for (ZipEntry entry : Collections.list(zip.entries())) {
        if (isOfType(entry.getName())) {
          classes.add(entry);
        }
      }
    } catch (IOException e) {
      // A jar that cannot be read has no classes, and is told of elsewhere.
      return List.of();
    }
    return classes;
  }
}
