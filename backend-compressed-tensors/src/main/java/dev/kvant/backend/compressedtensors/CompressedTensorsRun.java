package dev.kvant.backend.compressedtensors;

import com.google.gson.JsonObject;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.SavedModel;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.backend.compressedtensors.weights.CodedWeight;
import dev.kvant.backend.compressedtensors.weights.GlobalScale;
import dev.kvant.backend.compressedtensors.weights.Layout;
import dev.kvant.backend.compressedtensors.weights.Numbers;
import dev.kvant.backend.compressedtensors.weights.Scheme;
import dev.kvant.kit.ByteProgress;
import dev.kvant.kit.DecidedModule;
import dev.kvant.kit.OutputTensor;
import dev.kvant.kit.ReportBuilder;
import dev.kvant.kit.SafetensorsWriter;
import dev.kvant.kit.WeightValues;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.SourceState;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/** Quantizes the weights of one checkpoint while it writes them; until then nothing is read. */
final class CompressedTensorsRun implements QuantizationRun {

  private final QuantizableModel model;
  private final SourceState state;
  private final QuantizationPlan plan;
  private final RunContext context;
  private final SourceFolder source;
  private final SchemePlan schemes;
  private final Layout layout;

  CompressedTensorsRun(QuantizableModel model, QuantizationPlan plan, RunContext context) {
    this.model = model;
    this.state = SourceState.of(model);
    this.plan = plan;
    this.context = context;
    this.layout = Layout.of(context.options().text(CompressedTensorsBackend.LAYOUT));
    this.schemes = SchemePlan.of(model, plan, layout);
    this.source = SourceFolder.of(model);
    List<String> unsupported = new ArrayList<>(model.opaqueEntries());
    model
        .tensors()
        .forEach(
            (name, tensor) -> {
              if (!SafetensorsWriter.supports(tensor.elementType())) {
                unsupported.add(name);
              }
            });
    if (!unsupported.isEmpty()) {
      throw new UnsupportedModelException(
          "%s has tensors of types that cannot be copied: %s"
              .formatted(model.source(), String.join(", ", unsupported)));
    }
    for (DecidedModule module : schemes.modules()) {
      if (!model.tensors().containsKey(weightOf(module.name()))) {
        throw DecidedModule.missing(model, module.decision());
      }
    }
  }

  private static String weightOf(String module) {
    return module + ".weight";
  }

  @Override
  public SavedModel save(Path directory) {
    Map<String, CodedWeight> weights = weights();
    Map<String, List<OutputTensor>> shards = shards(weights);
    Map<String, JsonText> documents = new LinkedHashMap<>();
    if (!shards.keySet().equals(Set.of(OutputFolder.MODEL))) {
      documents.put(SourceFolder.INDEX, JsonText.of(index(shards)));
    }
    JsonObject section;
    if (layout == Layout.MODELOPT) {
      ModelOptSection export = ModelOptSection.of(model, schemes);
      documents.put(ModelOptSection.FILE, JsonText.of(export.file()));
      section = export.section();
    } else {
      section = QuantizationSection.of(model, schemes);
    }
    documents.put(SourceFolder.CONFIG, source.config().with("quantization_config", section));
    var output = new OutputFolder(directory, source);
    output.check(shards.keySet(), documents.keySet());
    List<QuantizationWarning> warnings = new ArrayList<>(schemes.warnings(model));
    warnings.addAll(ofFiles());
    warnings.forEach(context.listener()::onWarning);
    var progress = new ByteProgress(context.listener(), "quantize", model.tensorBytes());
    return new SavedModel(
        output.write(shards, documents, state, progress), report(weights, warnings));
  }

  private Map<String, CodedWeight> weights() {
    Map<String, GlobalScale> shared = globalScales();
    Map<String, CodedWeight> weights = new LinkedHashMap<>();
    for (DecidedModule module : schemes.modules()) {
      for (String name : module.module().names()) {
        Scheme scheme = schemes.of(name).orElseThrow();
        weights.put(
            weightOf(name),
            new CodedWeight(
                values(name),
                scheme,
                layout,
                SchemePlan.searches(module.decision()),
                shared.get(name),
                context.parallelism()));
      }
    }
    return weights;
  }

  private WeightValues values(String module) {
    String name = weightOf(module);
    return new WeightValues(name, Objects.requireNonNull(model.tensors().get(name), name));
  }

  /** The scales of scales by module; modules whose weights engines merge have one together. */
  private Map<String, GlobalScale> globalScales() {
    Map<String, List<String>> together = new TreeMap<>();
    schemes
        .byScheme()
        .forEach(
            (scheme, names) -> {
              if (scheme.numbers() == Numbers.NVFP4) {
                for (String name : names) {
                  together
                      .computeIfAbsent(
                          MergedModules.product(name).orElse(name), any -> new ArrayList<>())
                      .add(name);
                }
              }
            });
    Map<String, GlobalScale> scales = new TreeMap<>();
    together
        .values()
        .forEach(
            names -> {
              var scale =
                  new GlobalScale(
                      names.stream().map(this::values).toList(), layout, context.parallelism());
              names.forEach(name -> scales.put(name, scale));
            });
    return scales;
  }

  /** The tensors of each file: as in the source, or filled up to a size. */
  private Map<String, List<OutputTensor>> shards(Map<String, CodedWeight> weights) {
    Map<String, List<OutputTensor>> shards = new LinkedHashMap<>();
    model
        .tensors()
        .forEach(
            (name, tensor) -> {
              CodedWeight weight = weights.get(name);
              shards
                  .computeIfAbsent(
                      source.shards().getOrDefault(name, OutputFolder.MODEL),
                      any -> new ArrayList<>())
                  .addAll(
                      weight == null
                          ? List.of(OutputTensor.copyOf(name, tensor))
                          : weight.tensors());
            });
    if (!context.options().isSet(CompressedTensorsBackend.SHARD_GIGABYTES)) {
      return shards;
    }
    double gigabytes = context.options().number(CompressedTensorsBackend.SHARD_GIGABYTES);
    return filled(shards.values().stream().flatMap(List::stream).toList(), gigabytes * 1e9);
  }

  /** Fills files in turn; a tensor that is larger than a file may be has one of its own. */
  private static Map<String, List<OutputTensor>> filled(List<OutputTensor> tensors, double bytes) {
    List<List<OutputTensor>> files = new ArrayList<>();
    double left = 0;
    for (OutputTensor tensor : tensors) {
      if (files.isEmpty() || tensor.bytes() > left) {
        files.add(new ArrayList<>());
        left = bytes;
      }
      files.get(files.size() - 1).add(tensor);
      left -= tensor.bytes();
    }
    Map<String, List<OutputTensor>> shards = new LinkedHashMap<>();
    for (int i = 0; i < files.size(); i++) {
      shards.put(
          files.size() == 1
              ? OutputFolder.MODEL
              : String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, files.size()),
          files.get(i));
    }
    return shards;
  }

  private static JsonObject index(Map<String, List<OutputTensor>> shards) {
    var places = new JsonObject();
    long bytes = 0;
    for (Map.Entry<String, List<OutputTensor>> shard : shards.entrySet()) {
      for (OutputTensor tensor : shard.getValue()) {
        places.addProperty(tensor.name(), shard.getKey());
        bytes += tensor.bytes();
      }
    }
    var metadata = new JsonObject();
    metadata.addProperty("total_size", bytes);
    var index = new JsonObject();
    index.add("metadata", metadata);
    index.add("weight_map", places);
    return index;
  }

  private List<QuantizationWarning> ofFiles() {
    List<QuantizationWarning> warnings = new ArrayList<>();
    if (!source.skipped().isEmpty()) {
      warnings.add(warning("not copied: " + String.join(", ", source.skipped())));
    }
    if (source.config().object().isEmpty()) {
      warnings.add(
          warning(
              "there is no config.json in %s, so the one that is written says only how the weights are quantized"
                  .formatted(source.folder())));
    }
    return warnings;
  }

  private static QuantizationWarning warning(String text) {
    return new QuantizationWarning(QuantizationWarning.Kind.OTHER, text, null, List.of());
  }

  private QuantizationReport report(
      Map<String, CodedWeight> weights, List<QuantizationWarning> warnings) {
    var report = new ReportBuilder(model, plan).warnings(warnings);
    for (DecidedModule module : schemes.modules()) {
      String name = weightOf(module.name());
      CodedWeight weight = Objects.requireNonNull(weights.get(name), name);
      ModelTensor before = Objects.requireNonNull(model.tensors().get(name), name);
      long after = weight.tensors().stream().mapToLong(OutputTensor::bytes).sum();
      report
          .weights(
              module.name(),
              OperandOutcome.quantized(
                  module.decision().weights().dtype(),
                  weight.granularity(),
                  weight.error().sqnrDecibels()))
          .saved(module.name(), before.bytes() - after);
    }
    return report.build();
  }

  /** Does nothing: all that is held is held while saving. */
  @Override
  public void close() {}
}
