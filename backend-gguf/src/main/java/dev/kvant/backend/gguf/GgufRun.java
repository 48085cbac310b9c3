package dev.kvant.backend.gguf;

import dev.kvant.api.Artifact;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.SavedModel;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.backend.gguf.blocks.BlockType;
import dev.kvant.backend.gguf.checkpoint.ConvertedModel;
import dev.kvant.gguf.GgufEntry;
import dev.kvant.gguf.GgufFile;
import dev.kvant.gguf.GgufWriter;
import dev.kvant.kit.BlockEncoding;
import dev.kvant.kit.ByteProgress;
import dev.kvant.kit.DecidedModule;
import dev.kvant.kit.OutputTensor;
import dev.kvant.kit.ReportBuilder;
import dev.kvant.kit.WeightValues;
import dev.kvant.spi.ArtifactTransaction;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.SourceState;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Quantizes the weights of one file while it writes them; until then none of them is read. */
final class GgufRun implements QuantizationRun {

  /** Metadata: the type that most weights have, as llama.cpp numbers them. */
  private static final String FILE_TYPE = "general.file_type";

  /** Metadata: the version of the layout of blocks. */
  private static final String QUANTIZATION_VERSION = "general.quantization_version";

  /** The version in which the blocks are as in this code, since May 2023. */
  private static final int VERSION_OF_BLOCKS = 2;

  private final QuantizableModel model;
  private final QuantizationPlan plan;
  private final RunContext context;
  private final SourceState state;
  private final List<GgufEntry> sourceMetadata;
  private final Runnable closing;
  private final List<Weight> weights = new ArrayList<>();

  /**
   * A weight that is quantized.
   *
   * @param requested what the plan says
   * @param written what its rows fall into
   */
  private record Weight(DecidedModule module, BlockType requested, BlockType written) {

    String name() {
      return module.name() + ".weight";
    }
  }

  /**
   * Begins a run.
   *
   * @throws dev.kvant.api.QuantizationException if the plan is not for the model
   * @throws UnsupportedModelException if the model is not a GGUF file
   */
  GgufRun(QuantizableModel model, QuantizationPlan plan, RunContext context) {
    this.model = model;
    this.plan = plan;
    this.context = context;
    this.state = SourceState.of(model);
    for (DecidedModule module : DecidedModule.of(model, plan)) {
      weights.add(weight(module));
    }
    if (model instanceof ConvertedModel converted) {
      this.sourceMetadata = converted.metadata();
      this.closing = () -> {};
      return;
    }
    try {
      GgufFile source = GgufFile.open(model.source());
      this.sourceMetadata = List.copyOf(source.metadata().values());
      this.closing = source::close;
    } catch (ModelFormatException e) {
      throw new UnsupportedModelException(
          "the metadata of %s cannot be copied: %s".formatted(model.source(), e.getMessage()), e);
    }
  }

  private Weight weight(DecidedModule module) {
    ModelTensor tensor = model.tensors().get(module.name() + ".weight");
    Optional<BlockType> requested = BlockType.of(module.decision().weights().dtype());
    Optional<BlockType> written =
        tensor == null ? Optional.empty() : requested.flatMap(type -> type.fitting(tensor.shape()));
    if (written.isEmpty()) {
      throw DecidedModule.missing(model, module.decision());
    }
    return new Weight(module, requested.orElseThrow(), written.get());
  }

  @Override
  public SavedModel save(Path directory) {
    Map<String, BlockEncoding> encodings = new LinkedHashMap<>();
    for (Weight weight : weights) {
      encodings.put(
          weight.name(),
          new BlockEncoding(
              new WeightValues(weight.name(), tensor(weight)),
              weight.written().codec(),
              context.parallelism()));
    }
    List<OutputTensor> outputs = new ArrayList<>();
    model
        .tensors()
        .forEach(
            (name, tensor) -> {
              BlockEncoding encoding = encodings.get(name);
              outputs.add(encoding == null ? OutputTensor.copyOf(name, tensor) : encoding.blocks());
            });
    try (var transaction = ArtifactTransaction.begin(directory, state)) {
      var progress = new ByteProgress(context.listener(), "quantize", model.tensorBytes());
      GgufWriter.write(transaction.create(GgufBackend.ARTIFACT), metadata(), outputs, progress);
      progress.finish();
      transaction.commit();
    }
    return new SavedModel(
        List.of(
            Artifact.of(
                directory.resolve(GgufBackend.ARTIFACT),
                "gguf",
                "the model for llama.cpp, with the metadata of its source")),
        report(encodings));
  }

  private ModelTensor tensor(Weight weight) {
    return Objects.requireNonNull(model.tensors().get(weight.name()), weight.name());
  }

  /** The source's metadata, with what the blocks require of it. */
  private List<GgufEntry> metadata() {
    Map<String, GgufEntry> metadata = new LinkedHashMap<>();
    sourceMetadata.forEach(entry -> metadata.put(entry.key(), entry));
    mostFrequent()
        .ifPresent(
            type -> {
              metadata.put(FILE_TYPE, GgufEntry.of(FILE_TYPE, type.fileType()));
              metadata.put(
                  QUANTIZATION_VERSION, GgufEntry.of(QUANTIZATION_VERSION, VERSION_OF_BLOCKS));
            });
    return List.copyOf(metadata.values());
  }

  /** The type of most values. */
  private Optional<BlockType> mostFrequent() {
    Map<BlockType, Long> elements = new EnumMap<>(BlockType.class);
    for (Weight weight : weights) {
      elements.merge(weight.written(), tensor(weight).elements(), Long::sum);
    }
    return elements.entrySet().stream()
        .max(Comparator.comparingLong(Map.Entry::getValue))
        .map(Map.Entry::getKey);
  }

  private QuantizationReport report(Map<String, BlockEncoding> encodings) {
    var report = new ReportBuilder(model, plan);
    for (Weight weight : weights) {
      String module = weight.module().name();
      BlockEncoding encoding = Objects.requireNonNull(encodings.get(weight.name()), module);
      report
          .weights(
              module,
              new OperandOutcome(
                  weight.written().dtype(),
                  weight.written().granularity(),
                  encoding.error().sqnrDecibels(),
                  fallback(weight)))
          .saved(module, tensor(weight).bytes() - encoding.blocks().bytes());
    }
    return report.build();
  }

  private @Nullable String fallback(Weight weight) {
    if (weight.written() == weight.requested()) {
      return null;
    }
    List<Long> shape = tensor(weight).shape();
    return "its rows of %d values do not fall into blocks of 256 for %s, so it is stored as %s, as llama.cpp does"
        .formatted(
            shape.get(shape.size() - 1), weight.requested().dtype(), weight.written().dtype());
  }

  @Override
  public void close() {
    closing.run();
  }
}
