package dev.kvant.runtime;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.TensorDescription;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A model of which there is nothing but the description of its modules. */
public final class FakeModel implements QuantizableModel {

  private final List<ModuleDescription> modules = new ArrayList<>();
  private String format = "fake";
  private boolean typesInferred;
  private int closed;

  /** Makes its format another than {@code fake}. */
  public FakeModel format(String id) {
    this.format = id;
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

  /** Adds a module without tensors. */
  public FakeModel withoutWeights(String name, String type) {
    return with(name, type, new TensorDescription[0]);
  }

  /** How often it was closed. */
  public int timesClosed() {
    return closed;
  }

  @Override
  public Path source() {
    return Path.of("fake.model");
  }

  @Override
  public String format() {
    return format;
  }

  @Override
  public List<ModuleDescription> modules() {
    return List.copyOf(modules);
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
