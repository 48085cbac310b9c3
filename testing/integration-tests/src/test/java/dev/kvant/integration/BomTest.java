package dev.kvant.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BomTest {

  /**
   * Modules that nobody depends on; nor does anybody on examples. A plugin of Maven does not get
   * its version from a BOM.
   */
  private static final List<String> NOT_LIBRARIES =
      List.of("bom", "distribution", "fuzz", "integration-tests", "benchmarks", "maven-plugin");

  @Test
  void the_bom_names_every_library_and_nothing_else() throws IOException {
    Map<String, Path> modules = Checkout.modules();
    modules.values().removeIf(folder -> folder.startsWith(Checkout.ROOT.resolve("examples")));
    Set<String> libraries = new TreeSet<>(modules.keySet());
    NOT_LIBRARIES.forEach(libraries::remove);
    assertThat(all("<artifactId>kvant-(?!bom)([^<]+)</artifactId>", "bom/pom.xml"))
        .isEqualTo(libraries);
  }

  @Test
  void the_bom_has_the_version_of_the_parent() throws IOException {
    String version = "</artifactId>\\s*<version>([^<]+)</version>\\s*<packaging>pom";
    assertThat(all(version, "bom/pom.xml")).hasSize(1).isEqualTo(all(version, "pom.xml"));
  }

  /** It has no parent, so that it must pin the plugins of Maven's life cycle itself. */
  @ParameterizedTest
  @ValueSource(strings = {"clean", "install", "deploy", "site"})
  void the_bom_is_built_by_the_plugins_of_the_parent(String plugin) throws IOException {
    String version =
        "<artifactId>maven-%s-plugin</artifactId>\\s*<version>([^<]+)</version>".formatted(plugin);
    assertThat(all(version, "bom/pom.xml")).hasSize(1).isEqualTo(all(version, "pom.xml"));
  }

  /** It has no parent, so that its own profile must do what the parent's does. */
  @Test
  void the_bom_is_signed_as_the_libraries_are() throws IOException {
    String signer = "<artifactId>maven-gpg-plugin</artifactId>\\s*<version>([^<]+)</version>";
    assertThat(all(signer, "bom/pom.xml")).hasSize(1).isEqualTo(all(signer, "pom.xml"));
  }

  private static Set<String> all(String pattern, String file) throws IOException {
    return Pattern.compile(pattern)
        .matcher(Files.readString(Checkout.ROOT.resolve(file)))
        .results()
        .map((MatchResult match) -> match.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
