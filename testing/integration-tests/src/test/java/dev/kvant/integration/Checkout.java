package dev.kvant.integration;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The source tree that these tests are part of. */
final class Checkout {

  /** The folder of the parent's POM. */
  static final Path ROOT = Path.of("..", "..");

  private static final Pattern MODULE = Pattern.compile("<module>([^<]+)</module>");

  private static final Pattern ARTIFACT =
      Pattern.compile("</parent>\\s*<artifactId>kvant-([^<]+)</artifactId>");

  private static final String BOM = "bom";

  private Checkout() {}

  /** The folders of all modules by artifact id, without the prefix that all ids share. */
  static Map<String, Path> modules() {
    Map<String, Path> modules = new TreeMap<>();
    for (MatchResult module : MODULE.matcher(text(ROOT.resolve("pom.xml"))).results().toList()) {
      Path folder = ROOT.resolve(module.group(1));
      Matcher artifact = ARTIFACT.matcher(text(folder.resolve("pom.xml")));
      // The BOM has no parent.
      modules.put(artifact.find() ? artifact.group(1) : BOM, folder);
    }
    return modules;
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
