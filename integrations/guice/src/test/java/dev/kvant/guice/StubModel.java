package dev.kvant.guice;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.TensorDescription;
import dev.kvant.spi.ModelFormat;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A model of one module, whatever file it comes from. */
record StubModel(Path source) implements QuantizableModel {

  @Override
  public String format() {
    return "stub";
  }

  @Override
  public List<ModuleDescription> modules() {
    return List.of(
        new ModuleDescription(
            List.of("fc"),
            List.of("Linear"),
            false,
            List.of(new TensorDescription("weight", ElementType.FLOAT32, List.of(1L), "0"))));
  }

  @Override
  public Map<String, ModelTensor> tensors() {
    return Map.of();
  }

  @Override
  public long tensorBytes() {
    return 4;
  }

  @Override
  public void close() {}

  /** Takes every file for such a model. */
  static final class Format implements ModelFormat {

    @Override
    public List<String> ids() {
      return List.of("stub");
    }

    @Override
    public boolean recognizes(Path path) {
      return true;
    }

    @Override
    public QuantizableModel open(Path path) {
      return new StubModel(path);
    }
  }
}
