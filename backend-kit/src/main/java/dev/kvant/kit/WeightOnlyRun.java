package dev.kvant.kit;

import dev.kvant.api.Artifact;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.SavedModel;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.spi.ArtifactTransaction;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.SourceState;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A ready-made run for backends that quantize weights alone and write one safetensors file: the
 * model's tensors in their order, each weight that the plan quantizes as the backend encodes it,
 * all others as they are.
 *
 * @since 0.1.0
 */
public final class WeightOnlyRun implements QuantizationRun {

  private static final String WEIGHT = "weight";

  private final QuantizableModel model;
  private final SourceState state;
  private final QuantizationPlan plan;
  private final RunContext context;
  private final String artifact;
  private final String description;
  private final WeightEncoder encoder;
  private final List<DecidedModule> planned;

  /**
   * A run.
   *
   * @param artifact the name of the file
   * @param description what the file is for, in one sentence
   * @param encoder encodes the weights
   * @throws dev.kvant.api.QuantizationException if the plan is not for the model
   * @throws UnsupportedModelException if a tensor is of a type that safetensors files cannot hold
   */
  public WeightOnlyRun(
      QuantizableModel model,
      QuantizationPlan plan,
      RunContext context,
      String artifact,
      String description,
      WeightEncoder encoder) {
    this.model = model;
    this.state = SourceState.of(model);
    this.plan = plan;
    this.context = context;
    this.artifact = artifact;
    this.description = description;
    this.encoder = encoder;
    this.planned = DecidedModule.of(model, plan);
    for (DecidedModule module : planned) {
      if (!model.tensors().containsKey(weightOf(module.name()))) {
        throw DecidedModule.missing(model, module.decision());
      }
    }
    List<String> unsupported = new ArrayList<>();
    model
        .tensors()
        .forEach(
            (name, tensor) -> {
              if (!SafetensorsWriter.supports(tensor.elementType())) {
                unsupported.add("'%s' (%s)".formatted(name, tensor.elementType()));
              }
            });
    if (!unsupported.isEmpty()) {
      throw new UnsupportedModelException(
          "%s has tensors of types that safetensors files cannot hold: %s"
              .formatted(model.source(), String.join(", ", unsupported)));
    }
  }

  /**
   * A run that stores weights as blocks. Where safetensors files have no such type, a weight is
   * stored as bytes: {@code uint8}, the last dimension counting the bytes of a row's blocks.
   *
   * @param artifact the name of the file
   * @param description what the file is for, in one sentence
   * @param codec encodes the values of weights, whose rows fall into whole blocks
   * @throws dev.kvant.api.QuantizationException if the plan is not for the model
   * @throws UnsupportedModelException if a tensor is of a type that safetensors files cannot hold
   */
  public static WeightOnlyRun ofBlocks(
      QuantizableModel model,
      QuantizationPlan plan,
      RunContext context,
      String artifact,
      String description,
      BlockCodec codec) {
    return new WeightOnlyRun(
        model,
        plan,
        context,
        artifact,
        description,
        (weight, decision) -> new BlockEncoding(weight, codec, context.parallelism()));
  }

  private static String weightOf(String module) {
    return module + "." + WEIGHT;
  }

  @Override
  public SavedModel save(Path directory) {
    Map<String, WeightEncoder.Encoding> encodings = new LinkedHashMap<>();
    Map<String, ModelTensor> tensors = new LinkedHashMap<>(model.tensors());
    for (DecidedModule module : planned) {
      for (String name : module.module().names()) {
        ModelTensor tensor = tensors.get(weightOf(name));
        if (tensor != null) {
          encodings.put(
              weightOf(name),
              encoder.encode(new WeightValues(weightOf(name), tensor), module.decision()));
        }
      }
    }
    List<OutputTensor> outputs = new ArrayList<>();
    tensors.forEach(
        (name, tensor) -> {
          WeightEncoder.Encoding encoding = encodings.get(name);
          if (encoding == null) {
            outputs.add(OutputTensor.copyOf(name, tensor));
          } else {
            outputs.addAll(encoding.tensors());
          }
        });
    try (var transaction = ArtifactTransaction.begin(directory, state)) {
      var progress =
          new ByteProgress(
              context.listener(),
              "quantize",
              tensors.values().stream().mapToLong(ModelTensor::bytes).sum());
      SafetensorsWriter.write(transaction.create(artifact), outputs, progress);
      progress.finish();
      transaction.commit();
    }
    return new SavedModel(
        List.of(Artifact.of(directory.resolve(artifact), "safetensors", description)),
        report(encodings));
  }

  private QuantizationReport report(Map<String, WeightEncoder.Encoding> encodings) {
    var report = new ReportBuilder(model, plan);
    for (DecidedModule module : planned) {
      String name = weightOf(module.name());
      WeightEncoder.Encoding encoding = encodings.get(name);
      ModelTensor weight = model.tensors().get(name);
      if (encoding != null && weight != null) {
        long after = encoding.tensors().stream().mapToLong(OutputTensor::bytes).sum();
        report
            .weights(
                module.name(),
                OperandOutcome.quantized(
                    module.decision().weights().dtype(),
                    encoding.granularity(),
                    encoding.error().sqnrDecibels()))
            .saved(module.name(), weight.bytes() - after);
      }
    }
    return report.build();
  }

  /** Does nothing: all that is held is held while saving. */
  @Override
  public void close() {}
}
