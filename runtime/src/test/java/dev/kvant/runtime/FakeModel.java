package dev.kvant.runtime;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorDescription;
import dev.kvant.runtime.report.ReportRecord;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A model of which there is nothing but the description of its modules. */
public final class FakeModel implements QuantizableModel {

  private final List<ModuleDescription> modules = new ArrayList<>();
  private final List<ModuleDescription> operators = new ArrayList<>();
  private final Map<String, ModelTensor> tensors = new LinkedHashMap<>();
  private final List<String> compatible = new ArrayList<>();
  private Path source = Path.of("fake.model");
  private String format = "fake";
  private Optional<byte[]> record = Optional.empty();
  private Optional<String> quantizedBy = Optional.empty();
  private boolean typesInferred;
  private int closed;

  /** Makes its format another than {@code fake}. */
  public FakeModel format(String id) {
    this.format = id;
    return this;
  }

  /** Makes it stand for another format. */
  public FakeModel compatibleWith(String id) {
    compatible.add(id);
    return this;
  }

  /** Makes it come from another file than {@code fake.model}. */
  public FakeModel source(Path file) {
    this.source = file;
    return this;
  }

  /** Makes it what was saved just as that was planned. */
  public FakeModel writtenAs(QuantizationPlan plan) {
    this.record =
        Optional.of(
            ReportRecord.write(
                new QuantizationReport(
                    plan.backend(),
                    plan.mode(),
                    plan.modules().stream()
                        .map(decision -> ModuleReport.builder(decision).build())
                        .toList(),
                    plan.warnings())));
    return this;
  }

  /** Makes it what another tool has quantized. */
  public FakeModel quantizedBy(String tool) {
    this.quantizedBy = Optional.of(tool);
    return this;
  }

  /** Makes the classes of modules added from now on guesses. */
  public FakeModel typesInferred() {
    this.typesInferred = true;
    return this;
  }

  /** Adds a module with a weight matrix of its own. */
  public FakeModel with(String name, String type) {
    return with(name, type, "storage of " + name);
  }

  /** Adds a module whose weight matrix lies in that storage. */
  public FakeModel with(String name, String type, String storage) {
    return with(
        name,
        type,
        new TensorDescription("weight", ElementType.FLOAT32, List.of(4L, 4L), storage),
        new TensorDescription("bias", ElementType.FLOAT32, List.of(4L), "one bias for all"));
  }

  /** Adds a module with those tensors. */
  public FakeModel with(String name, String type, TensorDescription... tensors) {
    modules.add(
        new ModuleDescription(List.of(name), List.of(type), typesInferred, List.of(tensors)));
    return this;
  }

  /** Adds the values of a tensor of that qualified name. */
  public FakeModel holding(String name, Tensor values) {
    tensors.put(name, new FakeTensor(name, values));
    return this;
  }

  private record FakeTensor(String identity, Tensor values) implements ModelTensor {

    @Override
    public ElementType elementType() {
      return values.elementType();
    }

    @Override
    public List<Long> shape() {
      return values.shape();
    }

    @Override
    public void read(long firstElement, ByteBuffer target) {
      int first = Math.toIntExact(elementType().bytes(firstElement));
      target.put(values.data().slice(first, target.remaining()));
    }
  }

  /** Adds a module without tensors. */
  public FakeModel withoutWeights(String name, String type) {
    return with(name, type, new TensorDescription[0]);
  }

  /** Adds an operator without weights that rules can name. */
  public FakeModel withOperator(String name, String type) {
    operators.add(new ModuleDescription(List.of(name), List.of(type), false, List.of()));
    return this;
  }

  /** How often it was closed. */
  public int timesClosed() {
    return closed;
  }

  @Override
  public Path source() {
    return source;
  }

  @Override
  public String format() {
    return format;
  }

  @Override
  public Optional<byte[]> record() {
    return record;
  }

  @Override
  public Optional<String> quantizedBy() {
    return quantizedBy;
  }

  @Override
  public List<ModuleDescription> modules() {
    return List.copyOf(modules);
  }

  @Override
  public List<ModuleDescription> operators() {
    return List.copyOf(operators);
  }

  @Override
  public List<String> compatibleFormats() {
    List<String> formats = new ArrayList<>(List.of(format));
    formats.addAll(compatible);
    return formats;
  }

  @Override
  public Map<String, ModelTensor> tensors() {
    return tensors;
  }

  @Override
  public long tensorBytes() {
    return modules.stream()
        .flatMap(module -> module.tensors().stream())
        .mapToLong(TensorDescription::bytes)
        .sum();
  }

  @Override
  public void close() {
    closed++;
  }
}
