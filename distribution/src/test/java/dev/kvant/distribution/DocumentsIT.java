package dev.kvant.distribution;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
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
  private static final Pattern JAVA = Pattern.compile("(?s)```java\n(.*?)```");

  @TempDir private Path folder;

  @Test
  void link_only_to_what_is_there() throws IOException {
    assertThat(Links.broken(ROOT)).isEmpty();
  }

  @Test
  void are_searched_for_links_that_lead_nowhere() throws IOException {
    Path docs = Files.createDirectories(folder.resolve("docs"));
    Files.writeString(
        docs.resolve("README.md"),
        """
        # Pages
        [one](one.md#two-words), [gone](gone.md), [other
        heading](one.md#three), [web](https://example.org), `[code](code.md)`

            [listing](listing.md)
        """);
    Files.writeString(docs.resolve("one.md"), "# One\n## Two `words`!\n[twice](#two-words-1)\n");
    Files.writeString(docs.resolve("alone.md"), "# Alone\n");

    assertThat(Links.broken(folder))
        .containsExactly(
            "docs/README.md: gone.md leads to no file",
            "docs/README.md: one.md#three leads to no heading; these are there: [one, two-words]",
            "docs/one.md: #two-words-1 leads to no heading; these are there: [one, two-words]",
            "docs/README.md: no link to docs/alone.md, so that the site does not have it");
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
}
