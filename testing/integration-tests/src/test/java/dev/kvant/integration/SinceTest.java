package dev.kvant.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A public type")
class SinceTest {

  private static final Pattern SOURCE =
      Pattern.compile(".*/src/main/(java|kotlin)/.*(?<!-info)\\.(java|kt)");

  /** A type of the outermost level, with whatever stands above it up to a blank line. */
  private static final Pattern TYPE =
      Pattern.compile(
          "(?m)^public (?:[a-z-]+ )*(?:class|interface|@interface|record|enum|object|fun)"
              + " (?:[A-Za-z]+\\.)?([A-Za-z]+)");

  private static final Pattern SINCE = Pattern.compile("\\* @since ([0-9]+\\.[0-9]+\\.[0-9]+)\\s");

  private record Type(Path file, String name, String javadoc) {

    @Override
    public String toString() {
      return file + ": " + name;
    }
  }

  private static List<Type> types() throws IOException {
    List<Type> types = new ArrayList<>();
    for (Map.Entry<String, Path> module : Checkout.modules().entrySet()) {
      Path sources = module.getValue().resolve("src/main");
      boolean isForOthers =
          !module.getKey().equals("benchmarks")
              && !module.getValue().toString().replace('\\', '/').contains("/examples/");
      if (isForOthers && Files.isDirectory(sources)) {
        try (Stream<Path> files = Files.walk(sources)) {
          for (Path file : files.filter(SinceTest::isSource).toList()) {
            types.addAll(types(file));
          }
        }
      }
    }
    return types;
  }

  private static boolean isSource(Path file) {
    return SOURCE.matcher(file.toString().replace('\\', '/')).matches();
  }

  private static List<Type> types(Path file) throws IOException {
    String text = Files.readString(file);
    List<Type> types = new ArrayList<>();
    int from = 0;
    for (MatchResult type : TYPE.matcher(text).results().toList()) {
      String before = text.substring(from, type.start());
      int javadoc = before.lastIndexOf("/**");
      types.add(new Type(file, type.group(1), javadoc < 0 ? "" : before.substring(javadoc)));
      from = type.end();
    }
    return types;
  }

  @Test
  void says_since_which_version_it_is_there() throws IOException {
    List<Type> types = types();

    assertThat(types).hasSizeGreaterThan(150);
    assertThat(types.stream().filter(type -> !SINCE.matcher(type.javadoc()).find())).isEmpty();
  }

  @Test
  void is_not_from_the_future() throws IOException {
    Matcher version =
        Pattern.compile("<version>([0-9.]+)(-SNAPSHOT)?</version>\\s*<packaging>pom")
            .matcher(Files.readString(Checkout.ROOT.resolve("pom.xml")));
    assertThat(version.find()).isTrue();

    assertThat(types())
        .allSatisfy(
            type -> {
              Matcher since = SINCE.matcher(type.javadoc());
              assertThat(since.find() ? since.group(1) : "").isLessThanOrEqualTo(version.group(1));
            });
  }
}
