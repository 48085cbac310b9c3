package dev.kvant.tck;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.TensorDescription;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A model in lines of text: {@code module NAME TYPE ELEMENT-TYPE VALUES...}, perhaps preceded by a
 * record and scales, and closed by {@code end}.
 */
final class ToyModel implements QuantizableModel {

  /** Begins the line with the record of an artifact, in Base64. */
  static final String RECORD = "record ";

  /** Begins the line with the scale of a module's integers. */
  static final String SCALE = "scale ";

  private final Path source;
  private final List<String[]> modules;
  private final Map<String, Float> scales = new LinkedHashMap<>();
  private final @Nullable String record;
  private final FormatDefect defect;
  private boolean closed;

  ToyModel(Path source, List<String> lines, FormatDefect defect) {
    this.source = source;
    this.defect = defect;
    if (!has(FormatDefect.OVERLOOKS_THE_END) && !lines.get(lines.size() - 1).equals("end")) {
      throw new ModelFormatException("%s was cut short".formatted(source));
    }
    this.modules =
        lines.stream()
            .filter(line -> line.startsWith("module "))
            .map(line -> line.split(" ", -1))
            .toList();
    lines.stream()
        .filter(line -> line.startsWith(SCALE))
        .map(line -> line.split(" ", -1))
        .forEach(scale -> scales.put(scale[1], Float.parseFloat(scale[2])));
    this.record =
        lines.stream()
            .filter(line -> line.startsWith(RECORD))
            .map(line -> line.substring(RECORD.length()))
            .findFirst()
            .orElse(null);
  }

  private boolean has(FormatDefect some) {
    return defect == some;
  }

  @Override
  public Path source() {
    return source;
  }

  @Override
  public String format() {
    return has(FormatDefect.UNKNOWN_ID) ? "doll" : ToyFormat.ID;
  }

  @Override
  public List<ModuleDescription> modules() {
    open();
    List<ModuleDescription> described =
        new ArrayList<>(
            modules.stream()
                .map(
                    line ->
                        new ModuleDescription(
                            List.of(line[1]), List.of(line[2]), false, tensors(line)))
                .toList());
    if (has(FormatDefect.CHILDREN_FIRST)) {
      Collections.reverse(described);
    }
    return described;
  }

  private List<TensorDescription> tensors(String[] line) {
    TensorDescription weight = weight(line);
    return has(FormatDefect.DOUBLE_TENSOR) ? List.of(weight, weight) : List.of(weight);
  }

  private TensorDescription weight(String[] line) {
    return new TensorDescription(
        "weight",
        ElementType.find(line[3].toLowerCase(Locale.ROOT)).orElseThrow(),
        List.of(line.length - 4L),
        has(FormatDefect.RANDOM_STORAGE) ? UUID.randomUUID().toString() : line[1]);
  }

  @Override
  public Map<String, ModelTensor> tensors() {
    Map<String, ModelTensor> tensors = new LinkedHashMap<>();
    for (String[] line : modules) {
      tensors.put(line[1] + ".weight", new ToyTensor(line, weight(line), defect));
    }
    if (has(FormatDefect.HIDES_A_TENSOR)) {
      tensors.remove(modules.get(0)[1] + ".weight");
    }
    return tensors;
  }

  @Override
  public long tensorBytes() {
    return has(FormatDefect.COUNTS_NOTHING)
        ? 0
        : modules.stream().mapToLong(line -> weight(line).bytes()).sum();
  }

  @Override
  public Optional<byte[]> record() {
    return Optional.ofNullable(record).map(Base64.getDecoder()::decode);
  }

  @Override
  public void close() {
    if (closed && has(FormatDefect.CLOSES_ONCE)) {
      throw new IllegalStateException("closed already");
    }
    closed = true;
  }

  /**
   * This model.
   *
   * @throws IllegalStateException if it is closed
   */
  ToyModel open() {
    if (closed) {
      throw new IllegalStateException("this model is closed");
    }
    return this;
  }

  /** What the integers of a module are multiplied by. */
  Optional<Float> scale(String module) {
    return Optional.ofNullable(scales.get(module));
  }

  /** Name, type, element type and values of each module. */
  List<String[]> lines() {
    return modules;
  }
}
