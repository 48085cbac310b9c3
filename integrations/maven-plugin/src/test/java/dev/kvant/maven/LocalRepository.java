package dev.kvant.maven;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A local repository for builds within this build: Kvant as it was just built, and everything else
 * as links into the local repository of this build, which is not changed in what concerns Kvant.
 */
final class LocalRepository {

  private static final String VERSION = property("kvant.version");
  private static final Path ROOT = Path.of(property("kvant.root"));

  private static final Pattern MODULE = Pattern.compile("<module>([^<]+)</module>");
  private static final Pattern ARTIFACT = Pattern.compile("<artifactId>(kvant-[^<]+)</artifactId>");

  private LocalRepository() {}

  /** The value of a system property that the POM sets. */
  static String property(String name) {
    String value = System.getProperty(name);
    if (value == null) {
      throw new AssertionError("run this by 'mvn verify', which sets -D" + name);
    }
    return value;
  }

  /** Makes it. */
  static void create(Path repository) throws IOException {
    Path original = Path.of(property("kvant.maven.repository"));
    link(original, repository, Set.of("dev"));
    link(original.resolve("dev"), repository.resolve("dev"), Set.of("kvant"));
    Path kvant = repository.resolve("dev/kvant");
    install(kvant, "kvant-parent", ROOT.resolve("pom.xml"), "pom");
    Map<String, Path> poms = poms();
    for (Path jar : jars()) {
      String artifact = jar.getFileName().toString().replace("-" + VERSION + ".jar", "");
      install(kvant, artifact, Objects.requireNonNull(poms.get(artifact), artifact), "pom");
      install(kvant, artifact, jar, "jar");
    }
  }

  private static void link(Path from, Path to, Set<String> except) throws IOException {
    Files.createDirectories(to);
    if (!Files.isDirectory(from)) {
      return;
    }
    try (Stream<Path> children = Files.list(from)) {
      for (Path child : children.toList()) {
        String name = child.getFileName().toString();
        if (!except.contains(name)) {
          Files.createSymbolicLink(to.resolve(name), child.toAbsolutePath());
        }
      }
    }
  }

  private static void install(Path kvant, String artifact, Path file, String type)
      throws IOException {
    Path folder = kvant.resolve(artifact).resolve(VERSION);
    Files.createDirectories(folder);
    Files.copy(
        file,
        folder.resolve("%s-%s.%s".formatted(artifact, VERSION, type)),
        StandardCopyOption.REPLACE_EXISTING);
  }

  /** The plugin's own jar and those of Kvant that it depends on. */
  private static List<Path> jars() {
    Stream<Path> libraries =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
            .map(Path::of)
            .filter(
                each ->
                    each.getFileName() != null
                        && each.getFileName().toString().startsWith("kvant-")
                        && each.getFileName().toString().endsWith("-" + VERSION + ".jar"));
    return Stream.concat(Stream.of(Path.of(property("kvant.plugin.jar"))), libraries)
        .distinct()
        .toList();
  }

  private static Map<String, Path> poms() throws IOException {
    Map<String, Path> poms = new TreeMap<>();
    Matcher module = MODULE.matcher(Files.readString(ROOT.resolve("pom.xml")));
    while (module.find()) {
      Path pom = ROOT.resolve(module.group(1)).resolve("pom.xml");
      String text = Files.readString(pom);
      int parent = text.indexOf("</parent>");
      Matcher artifact = ARTIFACT.matcher(text);
      if (artifact.find(Math.max(parent, 0))) {
        poms.put(artifact.group(1), pom);
      }
    }
    return poms;
  }
}
