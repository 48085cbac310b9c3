package dev.kvant.distribution;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The links of all Markdown of the sources. {@code .ci/prose} runs this file as it is, so it uses
 * the JDK and nothing else.
 */
final class Links {

  private static final Pattern FENCE = Pattern.compile(" *(```|~~~).*");
  private static final Pattern CODE = Pattern.compile("`[^`]*`");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
  private static final Pattern OTHER_PLACE = Pattern.compile("[a-z]+:.*");
  private static final Pattern HEADING = Pattern.compile("#{1,6} (.*)");
  private static final Pattern LINK_TEXT = Pattern.compile("\\[([^\\]]*)\\]\\([^)]*\\)");
  private static final Pattern NOT_IN_ANCHOR = Pattern.compile("[^\\p{L}\\p{N}_ -]");
  // Built, fetched, or written by runs.
  private static final Set<String> NOT_SOURCES = Set.of("target", ".git", "results", "shared");

  private final Path root;
  private final Map<Path, Set<String>> anchors = new HashMap<>();

  private Links(Path root) {
    this.root = root;
  }

  /**
   * Prints what is wrong, and ends with 1 if something is.
   *
   * @param arguments the root of the sources
   */
  public static void main(String[] arguments) throws IOException {
    List<String> broken = broken(Path.of(arguments[0]));
    broken.forEach(System.err::println);
    System.exit(broken.isEmpty() ? 0 : 1);
  }

  /** A line for each link or anchor that leads nowhere, and for each page that no list has. */
  static List<String> broken(Path root) throws IOException {
    var links = new Links(root.toAbsolutePath().normalize());
    List<String> broken = new ArrayList<>();
    Path list = links.root.resolve("docs/README.md");
    Set<Path> listed = new HashSet<>(Set.of(list));
    List<Path> documents = links.documents();
    for (Path document : documents) {
      for (String link : links(document)) {
        links.problem(document, link).ifPresent(broken::add);
        if (document.equals(list)) {
          listed.add(target(document, link));
        }
      }
    }
    for (Path document : documents) {
      boolean page = document.startsWith(links.root.resolve("docs"));
      if (page && !listed.contains(document) && !listed.contains(document.getParent())) {
        broken.add(
            "docs/README.md: no link to %s, so that the site does not have it"
                .formatted(links.root.relativize(document)));
      }
    }
    return broken;
  }

  private Optional<String> problem(Path document, String link) throws IOException {
    Path target = target(document, link);
    String what = root.relativize(document) + ": " + link;
    if (!Files.exists(target)) {
      return Optional.of(what + " leads to no file");
    }
    int mark = link.indexOf('#');
    if (mark < 0 || anchors(target).contains(link.substring(mark + 1))) {
      return Optional.empty();
    }
    return Optional.of(what + " leads to no heading; these are there: " + anchors(target));
  }

  private static Path target(Path document, String link) {
    int mark = link.indexOf('#');
    String path = mark < 0 ? link : link.substring(0, mark);
    return path.isEmpty() ? document : document.resolveSibling(path).normalize();
  }

  private List<Path> documents() throws IOException {
    List<Path> documents = new ArrayList<>();
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
            return NOT_SOURCES.contains(folder.getFileName().toString())
                    || folder.getFileName().toString().endsWith("-quantized")
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (file.toString().endsWith(".md")) {
              documents.add(file);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    return documents.stream().sorted().toList();
  }

  private static List<String> links(Path document) throws IOException {
    String prose = CODE.matcher(String.join("\n", prose(document))).replaceAll("");
    return LINK.matcher(prose)
        .results()
        .map(link -> link.group(1))
        .filter(link -> !OTHER_PLACE.matcher(link).matches())
        .toList();
  }

  /** The lines outside of listings. */
  private static List<String> prose(Path document) throws IOException {
    List<String> prose = new ArrayList<>();
    boolean listing = false;
    for (String line : Files.readAllLines(document)) {
      if (FENCE.matcher(line).matches()) {
        listing = !listing;
      } else if (!listing && !line.startsWith("    ")) {
        prose.add(line);
      }
    }
    return prose;
  }

  /** The anchors of a document's headings, as GitHub and the site make them. */
  private Set<String> anchors(Path document) throws IOException {
    Set<String> known = anchors.get(document);
    if (known == null) {
      known = new LinkedHashSet<>();
      if (document.toString().endsWith(".md")) {
        for (String line : prose(document)) {
          Matcher heading = HEADING.matcher(line);
          if (heading.matches()) {
            add(known, heading.group(1));
          }
        }
      }
      anchors.put(document, known);
    }
    return known;
  }

  private static void add(Set<String> anchors, String heading) {
    String text = LINK_TEXT.matcher(heading).replaceAll(Links::textOf);
    String lower = text.strip().toLowerCase(Locale.ROOT);
    String anchor = NOT_IN_ANCHOR.matcher(lower).replaceAll("").replace(' ', '-');
    String numbered = anchor;
    for (int i = 1; !anchors.add(numbered); i++) {
      numbered = anchor + "-" + i;
    }
  }

  private static String textOf(MatchResult link) {
    return Matcher.quoteReplacement(link.group(1));
  }
}
