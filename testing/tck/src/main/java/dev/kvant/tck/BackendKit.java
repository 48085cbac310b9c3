package dev.kvant.tck;

import dev.kvant.api.Artifact;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.SavedModel;
import dev.kvant.numerics.FloatType;
import dev.kvant.spi.Availability;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.ModelFormat;
import dev.kvant.spi.Observation;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.io.TempDir;

/** What the author of a backend supplies, and how the contracts use it. */
abstract class BackendKit {

  @TempDir Path folder;

  private final Set<String> records = ConcurrentHashMap.newKeySet();

  private int folders;

  /** A new instance, created with the constructor that {@link java.util.ServiceLoader} calls. */
  protected abstract QuantizationBackend newBackend();

  /**
   * Models that the backend supports. Together they must have, for every dtype of every mode, a
   * module that can be quantized to it.
   */
  protected abstract List<SampleModel> samples();

  /**
   * The formats that open the artifacts; the formats of the samples by default. An artifact that
   * none of them recognizes is not opened, but at least one must be.
   */
  protected List<ModelFormat> artifactFormats() {
    Map<Class<?>, ModelFormat> formats = new LinkedHashMap<>();
    samples().forEach(sample -> formats.putIfAbsent(sample.format().getClass(), sample.format()));
    return List.copyOf(formats.values());
  }

  /**
   * Whether {@link QuantizableModel#record()} of an artifact that was opened again is a record that
   * the run was given for it; true by default.
   */
  protected boolean artifactsCarryTheirRecord() {
    return true;
  }

  /**
   * Whether any format opens what the backend writes; true by default. With {@code false}, the
   * tests that open artifacts are left out, and one test checks that none of {@link
   * #artifactFormats()} recognizes an artifact.
   */
  protected boolean artifactsCanBeOpened() {
    return true;
  }

  /**
   * The weight of a module as an artifact stands for it, dequantized: the contract measures from it
   * the SQNR that the backend reports. By default the tensor {@code weight} of the module, where it
   * is stored in float32, float16 or bfloat16. Override it to multiply codes by scales; {@link
   * StoredValues} reads them. Called only for modules whose weight is called {@code weight}.
   *
   * @param artifact an artifact that was opened
   * @param module the name of a module whose weight is quantized in it
   * @return the values in row-major order, as many as the source has; empty if the artifact is none
   *     that holds this weight quantized
   */
  protected Optional<float[]> restoredWeight(QuantizableModel artifact, String module) {
    return artifact.modules().stream()
        .filter(description -> description.names().contains(module))
        .flatMap(description -> description.weight().stream())
        .filter(weight -> FloatType.find(weight.elementType().label()).isPresent())
        .findFirst()
        .map(weight -> StoredValues.floats(tensor(artifact, module, weight.name())));
  }

  /** A tensor that a model describes. */
  static ModelTensor tensor(QuantizableModel model, String module, String name) {
    ModelTensor tensor = model.tensors().get(module.isEmpty() ? name : module + "." + name);
    if (tensor == null) {
      throw new AssertionError(
          "tensors() of %s has no '%s' of module '%s'".formatted(model.source(), name, module));
    }
    return tensor;
  }

  /**
   * A few batches that the sample can be run on. Needed by backends with a mode that calibrates.
   */
  protected CalibrationDataset calibrationData(SampleModel sample) {
    throw new UnsupportedOperationException(
        "this backend calibrates; override calibrationData to supply data for '%s'"
            .formatted(sample));
  }

  /**
   * Whether a sample can be run here; true by default. With {@code false}, the sample is not
   * quantized in modes that calibrate, as bfloat16 graphs that the runtime does not support.
   */
  protected boolean canBeRun(SampleModel sample) {
    return true;
  }

  /**
   * A model that the backend takes, with a NaN or an infinity among the weights of a module that it
   * can quantize; empty by default, which leaves out the test of it.
   */
  protected Optional<SampleModel> sampleWithNonFiniteWeight() {
    return Optional.empty();
  }

  /** Adds required options of the backend to each configuration; nothing by default. */
  protected void configure(ModelQuantizationConfig.Builder config) {}

  /** All ways to quantize the samples in which there is something to quantize. */
  final List<Trial> trials() {
    QuantizationBackend backend = availableBackend();
    return samples().stream().flatMap(sample -> trials(backend, sample)).toList();
  }

  private Stream<Trial> trials(QuantizationBackend backend, SampleModel sample) {
    List<Trial> trials = new ArrayList<>();
    try (QuantizableModel model = sample.open()) {
      configurations(backend)
          .forEach(
              config -> {
                Trial trial = new Trial(backend, sample, mode(config), config);
                if ((canBeRun(sample) || !trial.calibrates())
                    && !trial.plan(model).quantized().isEmpty()) {
                  trials.add(trial);
                }
              });
    }
    return trials.stream();
  }

  /** One configuration for each dtype of weights in each mode. */
  final List<ModelQuantizationConfig> configurations(QuantizationBackend backend) {
    List<ModelQuantizationConfig> configurations = new ArrayList<>();
    backend
        .descriptor()
        .modes()
        .forEach(
            (mode, abilities) ->
                abilities
                    .weights()
                    .forEach(
                        dtype ->
                            configurations.add(configuration(backend, mode, abilities, dtype))));
    return configurations;
  }

  private ModelQuantizationConfig configuration(
      QuantizationBackend backend, QuantizationMode mode, ModeDescriptor abilities, Dtype dtype) {
    List<Dtype> activations = abilities.activations();
    ModelQuantizationConfig.Builder config =
        ModelQuantizationConfig.builder()
            .backend(backend.descriptor().id())
            .mode(mode)
            .defaultLayerDtype(dtype);
    if (!activations.isEmpty()) {
      config.defaultActivationDtype(activations.contains(dtype) ? dtype : activations.get(0));
    }
    if (!abilities.algorithms().isEmpty()) {
      config.algorithm(abilities.algorithms().get(0));
    }
    configure(config);
    return config.build();
  }

  static QuantizationMode mode(ModelQuantizationConfig config) {
    QuantizationMode mode = config.mode();
    if (mode == null) {
      throw new IllegalStateException("configure(config) must leave the mode as it is");
    }
    return mode;
  }

  /**
   * For each sample and mode, the first trial with each value that an option allows. A value that
   * the backend rejects by itself is tried with each value of each other option. Fails if the
   * backend rejects it in every trial.
   */
  final List<Trial> trialsOfEachOptionValue() {
    List<Trial> trials = trials();
    List<OptionDescriptor> options = newBackend().descriptor().options();
    List<Trial> varied = new ArrayList<>();
    for (OptionDescriptor option : options) {
      for (Object value : allowedValues(option)) {
        List<Trial> with = trials.stream().map(trial -> trial.with(option.key(), value)).toList();
        List<Trial> first = firstAccepted(with);
        for (OptionDescriptor other : options) {
          for (Object another : allowedValues(other)) {
            if (first.isEmpty() && !other.equals(option)) {
              first =
                  firstAccepted(
                      with.stream().map(trial -> trial.with(other.key(), another)).toList());
            }
          }
        }
        if (first.isEmpty()) {
          throw new AssertionError(
              "option '%s' allows %s, and the backend rejects it in every mode and dtype, whatever another option is"
                  .formatted(option.key(), value));
        }
        varied.addAll(first);
      }
    }
    return varied;
  }

  /** The first trial of each sample and mode whose configuration has no problems. */
  private static List<Trial> firstAccepted(List<Trial> trials) {
    Map<List<Object>, Trial> first = new LinkedHashMap<>();
    for (Trial trial : trials) {
      if (trial.backend().validate(trial.config()).isEmpty()) {
        first.putIfAbsent(List.of(trial.sample(), trial.mode()), trial);
      }
    }
    return List.copyOf(first.values());
  }

  private static List<?> allowedValues(OptionDescriptor option) {
    return option.type() == OptionDescriptor.Type.BOOLEAN ? List.of(true, false) : option.allowed();
  }

  /** The first trial of each sample: for conduct that no dtype changes. */
  final List<Trial> oneTrialOfEachSample() {
    Map<SampleModel, Trial> first = new LinkedHashMap<>();
    trials().forEach(trial -> first.putIfAbsent(trial.sample(), trial));
    return List.copyOf(first.values());
  }

  /** A test for each trial; fails if there is none. */
  static Stream<DynamicTest> each(List<Trial> trials, Consumer<Trial> test) {
    if (trials.isEmpty()) {
      throw new AssertionError("the backend can quantize nothing in any of the samples");
    }
    return trials.stream()
        .map(trial -> DynamicTest.dynamicTest(trial.toString(), () -> test.accept(trial)));
  }

  /** A backend that can work here; ends the test without a verdict if it cannot. */
  final QuantizationBackend availableBackend() {
    QuantizationBackend backend = newBackend();
    if (backend.availability() instanceof Availability.Unavailable unavailable) {
      Assumptions.abort("the backend cannot work here: " + unavailable.reason());
    }
    return backend;
  }

  /** A folder of its own, not made yet. */
  final Path newFolder() {
    return folder.resolve(String.valueOf(folders++));
  }

  /** A copy of the sample in a folder of its own. */
  final QuantizableModel open(Trial trial) {
    return trial.sample().openCopyIn(newFolder());
  }

  /** Runs all steps on an opened model. */
  final SavedModel run(Trial trial, QuantizableModel model, QuantizationPlan plan, Path results) {
    return run(trial, model, plan, results, QuantizationListener.NONE, 1);
  }

  /** Runs all steps on an opened model, on this thread. */
  final SavedModel run(
      Trial trial,
      QuantizableModel model,
      QuantizationPlan plan,
      Path results,
      QuantizationListener listener,
      int parallelism) {
    try (QuantizationRun quantization = begin(trial, model, plan, listener, parallelism)) {
      observe(trial, quantization);
      quantization.quantize();
      return quantization.save(results);
    }
  }

  final QuantizationRun begin(
      Trial trial,
      QuantizableModel model,
      QuantizationPlan plan,
      QuantizationListener listener,
      int parallelism) {
    QuantizationBackend backend = trial.backend();
    RunContext context =
        RunContext.builder(trial.config(), backend.descriptor())
            .listener(listener)
            .parallelism(parallelism)
            .records(this::record)
            .build();
    return backend.begin(backend.prepare(model, context), plan, context);
  }

  private byte[] record(QuantizationReport report) {
    String record = report.toString();
    records.add(record);
    return record.getBytes(StandardCharsets.UTF_8);
  }

  /** Whether a run was given that record. */
  final boolean isRecord(byte[] content) {
    return records.contains(new String(content, StandardCharsets.UTF_8));
  }

  /** Observes the sample's data and uses what was seen, in modes that calibrate. */
  final void observe(Trial trial, QuantizationRun run) {
    if (trial.calibrates()) {
      run.use(run.observe(calibrationData(trial.sample()), Observation.EXTREMES));
    }
  }

  /** Ends the test without a verdict if nothing can open the artifacts. */
  final void assumeArtifactsCanBeOpened() {
    Assumptions.assumeTrue(artifactsCanBeOpened(), "artifactsCanBeOpened() is false");
  }

  /** Opens an artifact, if there is a format for it. */
  final Optional<QuantizableModel> reopen(Artifact artifact) {
    try {
      for (ModelFormat format : artifactFormats()) {
        if (format.recognizes(artifact.path())) {
          return Optional.of(format.open(artifact.path()));
        }
      }
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
