package dev.kvant.torch.script;

import dev.kvant.api.ModelFormatException;
import dev.kvant.torch.archive.ArchiveRecord;
import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.pickle.PickleGlobal;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Finds the module classes in an archive's code records. */
final class ScriptClasses {

  /** The root of all classes that an archive defines by source. */
  private static final String SOURCE_ROOT = "__torch__.";

  /** Classes that libtorch has built in. */
  private static final String NATIVE_ROOT = "__torch__.torch.classes.";

  private static final int MAX_SOURCE = 64 << 20;

  private static final Pattern CLASS =
      Pattern.compile(
          "^class (\\w+)\\(Module\\):\\R"
              + "(?:  __parameters__ = \\[(?<parameters>.*)]\\R)?"
              + "(?:  __buffers__ = \\[(?<buffers>.*)]\\R)?",
          Pattern.MULTILINE);
  private static final Pattern NAME = Pattern.compile("[\"']((?:[^\"'\\\\]|\\\\.)*+)[\"']");

  private final TorchArchive archive;
  private final Map<String, Map<String, ScriptClass>> byRecord = new HashMap<>();

  ScriptClasses(TorchArchive archive) {
    this.archive = archive;
  }

  /**
   * The module class of that name; empty if it is none, but a class of another kind.
   *
   * @throws ModelFormatException if the archive lacks its source
   */
  Optional<ScriptClass> find(PickleGlobal name) {
    if (!name.qualifiedName().startsWith(SOURCE_ROOT)
        || name.qualifiedName().startsWith(NATIVE_ROOT)) {
      return Optional.empty();
    }
    String record = "code/" + name.module().replace('.', '/') + ".py";
    return Optional.ofNullable(
        byRecord
            .computeIfAbsent(record, key -> parse(archive.record(key), name.module()))
            .get(name.name()));
  }

  private static Map<String, ScriptClass> parse(ArchiveRecord record, String module) {
    String source = new String(record.readAll(MAX_SOURCE), StandardCharsets.UTF_8);
    Map<String, ScriptClass> classes = new HashMap<>();
    Matcher matcher = CLASS.matcher(source);
    while (matcher.find()) {
      String name = matcher.group(1);
      classes.put(
          name,
          new ScriptClass(
              new PickleGlobal(module, name),
              record.name(),
              names(matcher.group("parameters")),
              names(matcher.group("buffers"))));
    }
    return classes;
  }

  private static List<String> names(@Nullable String list) {
    return list == null
        ? List.of()
        : NAME.matcher(list).results().map(result -> result.group(1)).toList();
  }
}
