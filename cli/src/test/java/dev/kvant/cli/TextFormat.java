package dev.kvant.cli;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.TensorDescription;
import dev.kvant.spi.ModelFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A model that is text. After a first line {@code text model} each line is a module, as in {@code
 * fc1 Linear weight:float32:64x32 bias:float32:64}; a tensor with {@code :=NAME} at its end is
 * stored under that name, {@code name=other} gives a module two names, {@code ~Linear} is a class
 * that was guessed, and a line that starts with {@code . Network} is the root. A file of that name
 * with {@code .data} at its end belongs to the model.
 */
public final class TextFormat implements ModelFormat {

  static final String ID = "text";

  @Override
  public List<String> ids() {
    return List.of(ID);
  }

  @Override
  public boolean recognizes(Path path) throws IOException {
    return Files.isRegularFile(path) && Files.readString(path).startsWith("text model\n");
  }

  @Override
  public QuantizableModel open(Path path) {
    try {
      List<ModuleDescription> modules =
          Files.readAllLines(path).stream().skip(1).map(TextFormat::module).toList();
      return new TextModel(
          path,
          modules.stream().filter(module -> module.name().isEmpty()).findFirst(),
          modules.stream().filter(module -> !module.name().isEmpty()).toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ModuleDescription module(String line) {
    List<String> words = Arrays.asList(line.split(" ", -1));
    String type = words.get(1);
    List<TensorDescription> tensors = new ArrayList<>();
    for (String word : words.subList(2, words.size())) {
      List<String> parts = Arrays.asList(word.split(":", -1));
      tensors.add(
          new TensorDescription(
              parts.get(0),
              ElementType.find(parts.get(1)).orElseThrow(),
              Arrays.stream(parts.get(2).split("x", -1))
                  .filter(dimension -> !dimension.isEmpty())
                  .map(Long::valueOf)
                  .toList(),
              parts.size() > 3 ? parts.get(3) : words.get(0) + "." + parts.get(0)));
    }
    return new ModuleDescription(
        words.get(0).equals(".") ? List.of("") : Arrays.asList(words.get(0).split("=", -1)),
        type.equals("-") ? List.of() : List.of(type.replace("~", "")),
        type.startsWith("~"),
        tensors);
  }

  private record TextModel(
      Path source, Optional<ModuleDescription> root, List<ModuleDescription> modules)
      implements QuantizableModel {

    @Override
    public List<Path> files() {
      Path data = source.resolveSibling(source.getFileName() + ".data");
      return Files.exists(data) ? List.of(source, data) : List.of(source);
    }

    /** Stands beside the model, for tests of what shows it. */
    @Override
    public Optional<byte[]> record() {
      Path record = source.resolveSibling(source.getFileName() + ".record");
      try {
        return Files.exists(record) ? Optional.of(Files.readAllBytes(record)) : Optional.empty();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public String format() {
      return ID;
    }

    @Override
    public Map<String, ModelTensor> tensors() {
      return Map.of();
    }

    @Override
    public long tensorBytes() {
      Map<String, Long> bytes = new LinkedHashMap<>();
      Stream.concat(root.stream(), modules.stream())
          .flatMap(module -> module.tensors().stream())
          .forEach(each -> bytes.put(each.storage(), each.bytes()));
      return bytes.values().stream().mapToLong(Long::longValue).sum();
    }

    @Override
    public void close() {}
  }
}
