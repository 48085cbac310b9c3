package dev.kvant.backend.onnx;

import dev.kvant.api.Artifact;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizedModel;
import dev.kvant.api.SavedModel;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.backend.onnx.calibration.Calibration;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.plan.PlannedGraph;
import dev.kvant.backend.onnx.preprocess.OpsetCheck;
import dev.kvant.backend.onnx.rewrite.BlockRewriter;
import dev.kvant.backend.onnx.rewrite.GraphRewriter;
import dev.kvant.backend.onnx.weights.WeightResult;
import dev.kvant.onnx.OnnxFormat;
import dev.kvant.onnx.OnnxModelFile;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.OnnxModule;
import dev.kvant.onnx.graph.OnnxModules;
import dev.kvant.onnx.graph.OnnxWriter;
import dev.kvant.spi.ArtifactTransaction;
import dev.kvant.spi.ProgressReporter;
import dev.kvant.spi.Quantizer;
import dev.kvant.spi.QuantizerContext;
import dev.kvant.spi.plan.PlanJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Takes ONNX models through quantization with one configuration. */
class OnnxQuantizer implements Quantizer {

  private final QuantizerContext context;
  private final OnnxOptions options;
  private Calibration calibration;
  private @Nullable PreparedModel calibrated;

  OnnxQuantizer(QuantizerContext context) {
    this.context = context;
    this.options = OnnxOptions.of(context.config().backendKwargs());
    this.calibration = new Calibration(options);
  }

  @Override
  public final void prepare(PreparedModel prepared) {
    Path results = context.config().resultsDir();
    if (results != null && options.externalData()) {
      refuseToReplaceData(source(prepared), results);
    }
    OnnxModel model = source(prepared).load();
    OpsetCheck.check(model);
    for (OnnxModule module : OnnxModules.of(model)) {
      prepared.plan().module(module.name()).ifPresent(decision -> checkAxis(module, decision));
    }
  }

  /** The file of tensors has a name that the model's own may have; the model would be lost. */
  private static void refuseToReplaceData(OnnxModelFile model, Path directory) {
    Path target = directory.resolve(OnnxBackend.ARTIFACT_DATA);
    for (Path file : model.externalFiles()) {
      try {
        if (Files.exists(target) && Files.isSameFile(target, file)) {
          throw new UnsupportedModelException(
              "the artifact would replace %s, which holds the tensors of the model %s itself; save into another folder"
                  .formatted(target, model.source()));
        }
      } catch (IOException e) {
        throw new UncheckedIOException("%s cannot be looked at".formatted(target), e);
      }
    }
  }

  private static void checkAxis(OnnxModule module, ModuleDecision decision) {
    Integer axis = decision.weights().settings().quantAxis();
    OnnxModule.Weight weight = module.weight();
    if (axis == null || weight == null || !decision.weights().isQuantized()) {
      return;
    }
    int rank = weight.tensor().dims().size();
    if (axis < -1 || axis >= rank) {
      throw new UnsupportedModelException(
          "%s: quant_axis %d is none of its weight, which has %d dimensions; use 0 to %d, or -1 for"
                  .formatted(module.name(), axis, rank, rank - 1)
              + " one scale");
    }
    if (module.node().is("Gather") && axis > 0) {
      throw new UnsupportedModelException(
          "%s: quant_axis %d: a table that rows are looked up in has one scale per row (0) or one"
                  .formatted(module.name(), axis)
              + " scale (-1)");
    }
  }

  private static OnnxModelFile source(PreparedModel prepared) {
    if (prepared.model() instanceof OnnxModelFile model) {
      return model;
    }
    throw new UnsupportedModelException(
        "%s is of the format %s; the backend onnx takes onnx"
            .formatted(prepared.model().source(), prepared.model().format()));
  }

  /** Runs data through the model and keeps statistics of what is to be quantized. */
  final void observe(PreparedModel prepared, CalibrationDataset data) {
    PlannedGraph planned = PlannedGraph.of(source(prepared), prepared, options);
    ProgressReporter progress =
        new ProgressReporter(context.listener(), "calibrate", data.batches().orElse(-1), "batches");
    calibration(prepared)
        .observe(planned, data, context.config().device(), context.parallelism(), progress);
  }

  /** What was observed of this model with this plan; nothing yet for another. */
  private Calibration calibration(PreparedModel prepared) {
    if (!prepared.equals(calibrated)) {
      calibrated = prepared;
      calibration = new Calibration(options);
    }
    return calibration;
  }

  @Override
  public final QuantizedModel quantize(PreparedModel prepared) {
    PlannedGraph planned = PlannedGraph.of(source(prepared), prepared, options);
    ProgressReporter progress =
        new ProgressReporter(context.listener(), "quantize", planned.modules().size(), "modules");
    GraphRewriter rewriter =
        new GraphRewriter(planned, calibration(prepared), options, context.parallelism());
    Map<String, WeightResult> weights = rewriter.rewrite(progress);
    String plan = new String(PlanJson.write(prepared.plan()), StandardCharsets.UTF_8);
    planned.model().metadata().put(OnnxModelFile.PLAN_ENTRY, plan);
    return new OnnxQuantizedModel(prepared, planned.model(), weights, notes(planned));
  }

  private Map<String, String> notes(PlannedGraph planned) {
    Map<String, String> notes = new LinkedHashMap<>();
    if (options.kernel() == OnnxOptions.Kernel.NBITS) {
      planned.modules().stream()
          .filter(module -> !BlockRewriter.fits(module))
          .forEach(
              module ->
                  notes.put(
                      module.name(),
                      "MatMulNBits has no factors and takes neither a transposed input nor a matrix"
                          + " on the left: stored as int8 behind DequantizeLinear"));
    }
    return notes;
  }

  @Override
  public final SavedModel save(QuantizedModel quantized, Path directory) {
    if (!(quantized instanceof OnnxQuantizedModel model)) {
      throw new IllegalArgumentException("model: was quantized by another backend");
    }
    boolean external =
        options.externalData() || OnnxWriter.size(model.graph()) > OnnxWriter.LARGEST_FILE;
    if (external) {
      refuseToReplaceData(source(model.prepared()), directory);
    }
    try (ArtifactTransaction transaction = ArtifactTransaction.begin(directory)) {
      Path file = transaction.create(OnnxBackend.ARTIFACT);
      if (external) {
        Path data = transaction.create(OnnxBackend.ARTIFACT_DATA);
        OnnxWriter.write(model.graph(), file, data, OnnxBackend.ARTIFACT_DATA);
      } else {
        OnnxWriter.write(model.graph(), file);
      }
      transaction.commit();
      return new SavedModel(artifacts(directory, external), report(model));
    }
  }

  private static List<Artifact> artifacts(Path directory, boolean external) {
    List<Artifact> artifacts = new ArrayList<>();
    artifacts.add(
        Artifact.of(directory.resolve(OnnxBackend.ARTIFACT), OnnxFormat.ID, "the quantized graph"));
    if (external) {
      artifacts.add(
          Artifact.of(
              directory.resolve(OnnxBackend.ARTIFACT_DATA),
              OnnxFormat.ID,
              "its large tensors; belongs beside " + OnnxBackend.ARTIFACT));
    }
    return artifacts;
  }

  private static QuantizationReport report(OnnxQuantizedModel model) {
    Map<String, ModuleDescription> descriptions = new LinkedHashMap<>();
    model.prepared().model().modules().forEach(module -> descriptions.put(module.name(), module));
    List<ModuleReport> modules = new ArrayList<>();
    for (ModuleDecision decision : model.plan().modules()) {
      ModuleDescription description = descriptions.get(decision.module());
      long before =
          description == null
              ? 0
              : description.tensors().stream().mapToLong(tensor -> tensor.bytes()).sum();
      String note = model.notes().get(decision.module());
      WeightResult weight = model.weights().get(decision.module());
      modules.add(
          weight == null
              ? new ModuleReport(decision, before, before, null, note)
              : new ModuleReport(
                  decision,
                  before,
                  before - weight.savedBytes(),
                  weight.error().sqnrDecibels(),
                  note));
    }
    return new QuantizationReport(
        model.plan().backend(), model.plan().mode(), modules, model.plan().warnings());
  }

  @Override
  public final void close() {
    // Sessions and files are opened and closed within each step.
  }
}
