package dev.kvant.distribution;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("The documents")
class DocumentsIT {

  private static final Path ROOT = Path.of(System.getProperty("kvant.root")).normalize();
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#]+)(#[^)]*)?\\)");
  private static final Pattern JAVA = Pattern.compile("(?s)```java\n(.*?)```");

  @TempDir private Path folder;

  @Test
  void link_only_to_what_is_there() throws IOException {
    List<String> broken = new ArrayList<>();
    for (Path document : documents()) {
      for (MatchResult link : LINK.matcher(Files.readString(document)).results().toList()) {
        Path target = document.resolveSibling(link.group(1)).normalize();
        if (!link.group(1).startsWith("https:") && !Files.exists(target)) {
          broken.add(document + " -> " + link.group(1));
        }
      }
    }
    assertThat(broken).isEmpty();
  }

  @Test
  void show_java_that_compiles() throws IOException {
    assertCompiles(
        "Example",
        """
        import dev.kvant.api.*;
        import dev.kvant.runtime.Kvant;
        import java.nio.file.Path;
        class Example { void run() { %s } }
        """
            .formatted(firstListing("README.md")));
  }

  @Test
  void show_a_whole_program_that_compiles() throws IOException {
    assertCompiles("Shrink", firstListing("docs/start/embed.md"));
  }

  private static String firstListing(String document) throws IOException {
    return JAVA.matcher(Files.readString(ROOT.resolve(document)))
        .results()
        .findFirst()
        .orElseThrow()
        .group(1);
  }

  private void assertCompiles(String name, String text) {
    var source =
        new SimpleJavaFileObject(
            URI.create("string:///" + name + ".java"), JavaFileObject.Kind.SOURCE) {
          @Override
          public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
          }
        };
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    var messages = new StringWriter();

    boolean compiled =
        compiler
            .getTask(
                messages,
                null,
                null,
                List.of("-proc:none", "-d", folder.toString()),
                null,
                List.of(source))
            .call();

    assertThat(compiled).as(messages.toString()).isTrue();
  }

  private static List<Path> documents() throws IOException {
    try (Stream<Path> root = Files.list(ROOT);
        Stream<Path> docs = Files.walk(ROOT.resolve("docs"))) {
      return Stream.concat(root, docs).filter(file -> file.toString().endsWith(".md")).toList();
    }
  }
}
