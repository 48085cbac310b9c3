package dev.kvant.runtime;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.DataException;
import dev.kvant.api.Device;
import dev.kvant.api.DiscoveryException;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.api.SavedModel;
import dev.kvant.api.UnavailableException;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.api.Verification;
import dev.kvant.runtime.calibration.MergedStatistics;
import dev.kvant.runtime.config.BoundConfig;
import dev.kvant.runtime.config.ConfigDocument;
import dev.kvant.runtime.data.CalibrationFiles;
import dev.kvant.runtime.data.DataReaders;
import dev.kvant.runtime.data.NumpyReaderProvider;
import dev.kvant.runtime.discovery.Installation;
import dev.kvant.runtime.discovery.Provided;
import dev.kvant.runtime.discovery.Registry;
import dev.kvant.runtime.evaluation.EvaluatedModel;
import dev.kvant.runtime.evaluation.Evaluation;
import dev.kvant.runtime.evaluation.Evaluator;
import dev.kvant.runtime.evaluation.RetrievalRequest;
import dev.kvant.runtime.evaluation.RetrievalSimilarity;
import dev.kvant.runtime.recipe.RecipeChoice;
import dev.kvant.runtime.report.ReportRecord;
import dev.kvant.runtime.tuning.AnalysisRequest;
import dev.kvant.runtime.tuning.SensitivityReport;
import dev.kvant.runtime.tuning.Tuning;
import dev.kvant.runtime.tuning.TuningRequest;
import dev.kvant.runtime.tuning.TuningResult;
import dev.kvant.spi.Availability;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.ModelFormat;
import dev.kvant.spi.ModelRunner;
import dev.kvant.spi.ModelRunnerProvider;
import dev.kvant.spi.ModelSource;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.RunContext;
import dev.kvant.validation.CheckedConfiguration;
import dev.kvant.validation.ConfigurationValidator;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The entry point: opens models and makes quantizers with the backends that are installed.
 *
 * <pre>{@code
 * try (Kvant kvant = Kvant.create();
 *     QuantizableModel model = kvant.load(Path.of("model.pt"));
 *     ModelQuantizer quantizer = kvant.quantizer(
 *         ModelQuantizationConfig.builder().backend("torchao").layer("Linear", Dtype.INT8).build())) {
 *   QuantizedModel quantized = quantizer.quantizeModel(model);
 *   quantizer.saveModel(quantized, Path.of("results"));
 * }
 * }</pre>
 *
 * <p>Safe for use by several threads. Close the models and quantizers that came from it before it.
 *
 * @since 0.1.0
 */
public final class Kvant implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Kvant.class);

  private final Registry registry;
  private final InstalledModels models;
  private final InstalledRunners runners;
  private final ConfigurationValidator validator = new ConfigurationValidator();
  private final QuantizationListener listener;
  private final int parallelism;

  private Kvant(Builder builder) {
    List<ClassLoader> loaders = new ArrayList<>(builder.classLoaders);
    if (builder.discovery && loaders.isEmpty()) {
      loaders.add(Kvant.class.getClassLoader());
    }
    List<DataReaderProvider> readers = new ArrayList<>();
    readers.add(new NumpyReaderProvider());
    readers.addAll(builder.readers);
    this.registry =
        new Registry(
            loaders,
            builder.pluginDirectories,
            builder.backends,
            builder.formats,
            builder.runners,
            builder.sources,
            readers);
    this.models = new InstalledModels(registry);
    this.runners = new InstalledRunners(registry, models);
    List<QuantizationListener> listeners = new ArrayList<>();
    listeners.add(new QuantizationLog(log));
    listeners.addAll(builder.listeners);
    this.listener = QuantizationListener.all(listeners);
    this.parallelism = builder.parallelism;
  }

  /** With what is installed beside Kvant's own classes. */
  public static Kvant create() {
    return builder().build();
  }

  /** For plugins, other class loaders, listeners, or providers of one's own. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Opens a model file or folder; its content tells the format. The caller closes the model.
   *
   * @throws ModelFormatException if it is not there, empty, damaged or of no format that is known
   * @throws DiscoveryException if several formats claim it
   */
  public QuantizableModel load(Path model) {
    return models.open(model);
  }

  /**
   * Opens the file behind a model that another framework has loaded. The caller closes the model
   * that this gives; the object stays as it is.
   *
   * @param model an object that an installed {@link ModelSource} knows, or a {@link Path}
   * @throws UnsupportedModelException if no source knows it, or it has no file behind it
   */
  public QuantizableModel load(Object model) {
    return models.open(model);
  }

  /**
   * The configuration that suits a model best, of those that the installed backends recommend. If
   * several backends recommend one, that wins which quantizes the most bytes of weights; of equals,
   * the one whose id comes first.
   *
   * <pre>{@code
   * Recipe recipe = kvant.recommend(model, RecipeRequest.ANY);
   * try (ModelQuantizer quantizer = kvant.quantizer(recipe.config())) {
   *   quantizer.saveModel(quantizer.quantizeModel(model), Path.of("results"));
   * }
   * }</pre>
   *
   * @param model the model, which stays as it is
   * @param request what the configuration must meet; {@link RecipeRequest#ANY} leaves all of it to
   *     the backends
   * @return a configuration with backend, mode and the data of the request, without paths of model
   *     and results
   * @throws InvalidConfigurationException if no such backend is installed, or none meets the
   *     request
   * @throws UnsupportedModelException if no backend reads the model or can work here, the model is
   *     quantized already, or nothing of it can be quantized
   * @throws DiscoveryException if two backends claim the requested name
   */
  public Recipe recommend(QuantizableModel model, RecipeRequest request) {
    Objects.requireNonNull(model, "model");
    return choice(request).recipe(model);
  }

  private RecipeChoice choice(RecipeRequest request) {
    String wanted = request.backend();
    List<QuantizationBackend> backends =
        wanted == null
            ? registry.backends().stream().map(Provided::instance).toList()
            : List.of(
                registry
                    .backend(wanted)
                    .orElseThrow(
                        () ->
                            new InvalidConfigurationException(
                                "backend",
                                UnknownBackend.message(wanted, registry.installation()))));
    return new RecipeChoice(backends, request);
  }

  /**
   * A quantizer for a configuration. The caller closes it.
   *
   * @throws InvalidConfigurationException with all that is wrong with the configuration
   * @throws UnavailableException if the backend cannot work on this machine
   * @throws DiscoveryException if two backends claim the name
   */
  public ModelQuantizer quantizer(ModelQuantizationConfig config) {
    return quantizer(config, QuantizationListener.NONE);
  }

  /**
   * A quantizer for a configuration, with a listener of its own beside those of the builder. The
   * caller closes it.
   *
   * @throws InvalidConfigurationException with all that is wrong with the configuration
   * @throws UnavailableException if the backend cannot work on this machine
   * @throws DiscoveryException if two backends claim the name
   */
  public ModelQuantizer quantizer(ModelQuantizationConfig config, QuantizationListener listener) {
    Objects.requireNonNull(config, "config");
    Objects.requireNonNull(listener, "listener");
    return quantizer(new BoundConfig(config, List.of(), "quantize"), listener);
  }

  /**
   * A quantizer for a configuration that is written as a document. The caller closes it.
   *
   * @throws InvalidConfigurationException with all that is wrong with the configuration, what
   *     cannot be read and what cannot be done in one
   * @throws UnavailableException if the backend cannot work on this machine
   * @throws DiscoveryException if two backends claim the name
   */
  public ModelQuantizer quantizer(ConfigDocument document) {
    return quantizer(document.bind(readers().settings()), QuantizationListener.NONE);
  }

  /**
   * A quantizer for a configuration that is built of maps and lists like a document. The caller
   * closes it.
   *
   * @throws InvalidConfigurationException with all that is wrong with the configuration, what
   *     cannot be read and what cannot be done in one
   * @throws UnavailableException if the backend cannot work on this machine
   * @throws DiscoveryException if two backends claim the name
   */
  public ModelQuantizer quantizer(Map<String, ?> config) {
    return quantizer(ConfigDocument.of(config));
  }

  private ModelQuantizer quantizer(BoundConfig bound, QuantizationListener own) {
    return planned(bound, QuantizationListener.all(List.of(listener, own)));
  }

  private PlannedQuantizer planned(BoundConfig bound, QuantizationListener heard) {
    String name = bound.config().backend();
    QuantizationBackend backend = name.isBlank() ? null : registry.backend(name).orElse(null);
    CheckedConfiguration checked =
        validator.check(bound.config(), backend, bound.problems().isEmpty());
    Problems problems = new Problems(bound.section(), bound.problems());
    if (backend == null && !name.isBlank()) {
      problems.add(
          new ConfigurationProblem(
              "quantize.backend", UnknownBackend.message(name, registry.installation())));
    }
    checked.problems().forEach(problems::add);
    CalibrationConfig calibration = bound.config().calibration();
    if (calibration != null) {
      readers().problems("quantize.calibration", calibration.data()).forEach(problems::add);
    }
    EvaluationConfig evaluation = bound.config().evaluation();
    if (evaluation != null) {
      readers().problems("quantize.evaluation", evaluation.data()).forEach(problems::add);
    }
    problems.throwIfAny();
    Objects.requireNonNull(backend, "backend");
    if (backend.availability() instanceof Availability.Unavailable unavailable) {
      throw new UnavailableException(
          "backend '%s' cannot work here: %s".formatted(name, unavailable.reason()));
    }
    BackendDescriptor descriptor = backend.descriptor();
    ToldWarnings told = new ToldWarnings(heard);
    return new PlannedQuantizer(
        backend,
        descriptor,
        RunContext.builder(checked.config(), descriptor)
            .listener(told)
            .parallelism(parallelism)
            .records(ReportRecord::write)
            .build(),
        checked.warnings(),
        told,
        runners.on(checked.config().device()),
        this::calibrationData);
  }

  /**
   * Does what a document says: opens the model of {@code model_path}, calibrates it on the data of
   * {@code calibration}, and saves the artifacts into {@code results_dir}.
   *
   * @return what was written
   * @throws InvalidConfigurationException with all that is wrong with the configuration; if it
   *     lacks one of these paths, or has a section {@code evaluation}, which this method does not
   *     follow
   * @throws UnavailableException if the backend cannot work on this machine
   * @throws ModelFormatException if the model is not there, damaged or of no format that is known
   * @throws UnsupportedModelException if the backend does not read the model
   * @throws DataException if the data cannot be read
   * @throws CalibrationException if the data does not fit the model's inputs
   * @throws dev.kvant.api.VerificationException if an artifact is wrong beside the model
   */
  public SavedModel quantize(ConfigDocument document) {
    ConfigDocument complete =
        document
            .requiringModelPath("it names the model")
            .requiringResultsDir("it names the folder for the artifacts");
    try (ModelQuantizer quantizer = quantizer(complete)) {
      ModelQuantizationConfig config = quantizer.config();
      if (config.evaluation() != null) {
        throw new InvalidConfigurationException(
            "quantize.evaluation",
            "is not followed here; leave it out, and compare the artifact by Kvant.compare");
      }
      Path directory = Objects.requireNonNull(config.resultsDir(), "results_dir");
      try (QuantizableModel model =
          load(Objects.requireNonNull(config.modelPath(), "model_path"))) {
        return quantize(quantizer, model, directory);
      }
    }
  }

  /**
   * Quantizes a model and saves it, on the calibration data that the quantizer's configuration
   * names, if it names any.
   *
   * @param quantizer a quantizer of this object
   * @param model the model, which stays as it is
   * @param directory the folder for the artifacts
   * @return what was written
   * @throws InvalidConfigurationException if the backend requires data, and none is named
   * @throws UnsupportedModelException if the backend does not read the model
   * @throws DataException if the data cannot be read
   * @throws CalibrationException if the data does not fit the model's inputs
   * @throws dev.kvant.api.VerificationException if an artifact is wrong beside the model
   */
  public SavedModel quantize(ModelQuantizer quantizer, QuantizableModel model, Path directory) {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(directory, "directory");
    CalibrationConfig calibration = quantizer.config().calibration();
    if (calibration != null) {
      return quantizer.saveModel(
          quantizer.quantizeModel(model, calibrationData(calibration, model)), directory);
    }
    try {
      return quantizer.saveModel(quantizer.quantizeModel(model), directory);
    } catch (CalibrationException e) {
      // Whether a backend can do without data is its own affair; where it cannot, the
      // configuration lacks some.
      var incomplete =
          new InvalidConfigurationException(
              "quantize.calibration.path", Objects.requireNonNull(e.getMessage()));
      incomplete.addSuppressed(e);
      throw incomplete;
    }
  }

  /**
   * Finds out which modules suffer from quantization: quantizes each group of modules alone, and
   * all but it, and compares the outputs with those of the model. Groups are modules that read one
   * tensor or share a weight. The model is calibrated once and runs once.
   *
   * <p>The outputs are compared on the configuration's evaluation data, else on its calibration
   * data. An interrupt of the thread ends the analysis early: the report then has the groups that
   * are finished.
   *
   * <pre>{@code
   * SensitivityReport report = kvant.analyze(model, config, AnalysisRequest.DEFAULT);
   * report.groups().forEach(group -> System.out.println(group.modules() + " " + group.noise()));
   * }</pre>
   *
   * @param model the model, which stays as it is
   * @param config how it would be quantized; where its artifacts go does not matter
   * @param request how many samples, which file keeps finished groups, who is told of groups
   * @throws InvalidConfigurationException with all that is wrong with the configuration, or if it
   *     names no data
   * @throws UnavailableException if the backend cannot work here, or nothing runs the model
   * @throws UnsupportedModelException if nothing of the model is quantized, or its artifact is of
   *     another format
   * @throws DataException if the data cannot be read
   * @throws CalibrationException if it does not fit the model's inputs
   */
  public SensitivityReport analyze(
      QuantizableModel model, ModelQuantizationConfig config, AnalysisRequest request) {
    Objects.requireNonNull(request, "request");
    return tuning(model).analyze(config, request);
  }

  /**
   * Searches for the smallest, fastest or most accurate configuration within a budget: tries the
   * recipes that the backends offer, and leaves the most sensitive groups of modules of the
   * promising ones native. Half of the samples calibrate, a quarter guides the search; a quarter is
   * held out, and decides whether a configuration is within the budget. Speed is measured beside
   * the model, in turns.
   *
   * <p>The best is never worse than the best of the backends' recipes that were tried. An interrupt
   * of the thread, or the end of the time, ends the search early and keeps the best so far.
   *
   * <pre>{@code
   * TuningResult result = kvant.tune(model, TuningRequest
   *     .builder(RecipeRequest.builder().calibration(CalibrationConfig.of(data)).build())
   *     .budget(TuningBudget.ofCosine(0.99))
   *     .output(Path.of("results"))
   *     .build());
   * }</pre>
   *
   * @param model the model, which stays as it is
   * @throws InvalidConfigurationException if no backend meets the request
   * @throws UnavailableException if nothing runs the model
   * @throws UnsupportedModelException if no backend reads the model, or nothing of it can be
   *     quantized
   * @throws DataException if the data cannot be read, or has too few samples
   * @throws CalibrationException if it does not fit the model's inputs
   */
  public TuningResult tune(QuantizableModel model, TuningRequest request) {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(request, "request");
    return tuning(model).tune(choice(request.recipes()).alternatives(model), request);
  }

  private Tuning tuning(QuantizableModel model) {
    Objects.requireNonNull(model, "model");
    return new Tuning(
        model,
        config ->
            planned(new BoundConfig(config, List.of(), "quantize"), QuantizationListener.NONE),
        readers(),
        runners::on,
        listener);
  }

  /**
   * An evaluation that is written as {@code key=value}, with the keys of a document's section
   * {@code evaluation}.
   *
   * @param data the data set
   * @param batchSize how many samples run at once; null for the model's own batch size, else 32
   * @param settings the settings of the data reader, as in {@code tokenizer=tokenizer.json}
   * @throws InvalidConfigurationException with all that is wrong
   */
  public EvaluationConfig evaluation(
      Path data, @Nullable Integer batchSize, List<String> settings) {
    EvaluationConfig evaluation =
        ConfigDocument.evaluation(data, batchSize, settings, readers().settings());
    List<ConfigurationProblem> problems = readers().problems("", evaluation.data());
    if (!problems.isEmpty()) {
      throw new InvalidConfigurationException(problems);
    }
    return evaluation;
  }

  private DataReaders readers() {
    return new DataReaders(registry.readers().stream().map(Provided::instance).toList());
  }

  /**
   * The calibration data that a configuration names, for a model. Read batch by batch each time
   * that it is walked through.
   *
   * @throws InvalidConfigurationException when it is walked through, if a setting is wrong
   * @throws DataException when it is walked through, if it cannot be read
   */
  public CalibrationDataset calibrationData(CalibrationConfig config, QuantizableModel model) {
    Objects.requireNonNull(config, "config");
    return new CalibrationFiles(readers(), config, model.inputs(), new Remarks(listener));
  }

  /**
   * Writes the statistics of several files into one, whole or not at all. No model is needed, so
   * that a scheduler can merge statistics in stages.
   *
   * @param statistics files that {@link ModelQuantizer#saveStatistics} or this method wrote, of
   *     parts of the data. Any order gives the same ranges and histograms; sums of products, which
   *     SmoothQuant and GPTQ need, are added in this order, and each order rounds them differently
   * @param merged the file to write
   * @throws CalibrationException if no file is given, one cannot be read, or they are of several
   *     models, of several plans or of the same data
   */
  public static void mergeStatistics(List<Path> statistics, Path merged) {
    MergedStatistics.write(List.copyOf(statistics), Objects.requireNonNull(merged, "merged"));
  }

  /**
   * Loads a model file for running. The caller closes it.
   *
   * @throws InvalidConfigurationException if that is no device
   * @throws UnavailableException if nothing installed runs this format, or not on this device
   */
  public ModelRunner runner(Path model, Device device) {
    return runners.runner(model, device);
  }

  /**
   * Runs a model on data, and a reference beside it, and says how good, how alike and how fast they
   * are.
   *
   * @param model the model file
   * @param reference the model that it should be like, or null
   * @param data the samples; an array called {@code label} holds the right classes
   * @param device where both run
   * @throws InvalidConfigurationException if that is no device, or a setting of the data is wrong
   * @throws UnavailableException if nothing installed runs a model's format, or not on this device
   * @throws DataException if the data cannot be read
   * @throws CalibrationException if it does not fit a model's inputs
   * @throws UnsupportedModelException if the outputs cannot be judged or compared
   */
  public Evaluation evaluate(
      Path model, @Nullable Path reference, EvaluationConfig data, Device device) {
    try (EvaluatedModel evaluated = runners.evaluated(model, device)) {
      if (reference == null) {
        return evaluator(data, device).evaluate(evaluated, null);
      }
      try (EvaluatedModel other = runners.evaluated(reference, device)) {
        return evaluator(data, device).evaluate(evaluated, other);
      }
    }
  }

  /**
   * Runs a model on data, and an open model beside it, as {@link #evaluate} does.
   *
   * @param reference the model that it should be like; stays open
   */
  public Evaluation compare(
      Path model, QuantizableModel reference, EvaluationConfig data, Device device) {
    try (EvaluatedModel evaluated = runners.evaluated(model, device);
        EvaluatedModel other = runners.evaluated(reference, device)) {
      return evaluator(data, device).evaluate(evaluated, other);
    }
  }

  /**
   * Embeds texts with an encoder and its reference, and says whether a search in the embeddings
   * finds the same texts.
   *
   * @param model the model file
   * @param reference the model that it should be like
   * @param data the texts, more than {@link RetrievalRequest#k()}
   * @param request how outputs become embeddings
   * @param device where both run
   * @throws InvalidConfigurationException if that is no device, or a setting of the data is wrong
   * @throws UnavailableException if nothing installed runs a model's format, or not on this device
   * @throws DataException if the data cannot be read, or has too few texts
   * @throws CalibrationException if it does not fit a model's inputs
   * @throws UnsupportedModelException if the first output of a model is no embedding
   */
  public RetrievalSimilarity compareRetrieval(
      Path model, Path reference, EvaluationConfig data, RetrievalRequest request, Device device) {
    try (EvaluatedModel evaluated = runners.evaluated(model, device);
        EvaluatedModel other = runners.evaluated(reference, device)) {
      return evaluator(data, device).retrieve(evaluated, other, request);
    }
  }

  private Evaluator evaluator(EvaluationConfig data, Device device) {
    return new Evaluator(readers(), data, device, listener);
  }

  /**
   * Runs an open model on the first samples of data, so that what does not fit is found before any
   * long work.
   *
   * @throws InvalidConfigurationException if that is no device, or a setting of the data is wrong
   * @throws UnavailableException if nothing installed runs the model's format, or not on this
   *     device
   * @throws DataException if the data cannot be read
   * @throws CalibrationException if it does not fit the model's inputs
   * @throws UnsupportedModelException if the outputs cannot be judged
   */
  public void checkEvaluation(QuantizableModel model, EvaluationConfig data, Device device) {
    Evaluator evaluator = new Evaluator(readers(), data, device, QuantizationListener.NONE);
    try (EvaluatedModel evaluated = runners.evaluated(model, device)) {
      evaluator.check(evaluated);
    }
  }

  /** Runs a model file as {@link #checkEvaluation(QuantizableModel, EvaluationConfig, Device)}. */
  public void checkEvaluation(Path model, EvaluationConfig data, Device device) {
    try (QuantizableModel opened = load(model)) {
      checkEvaluation(opened, data, device);
    }
  }

  /**
   * The report that a model carries, if it is an artifact that Kvant wrote: what that artifact
   * holds, and what was planned.
   *
   * @throws ModelFormatException if the model carries a record that is damaged, or was written by a
   *     newer version
   */
  public Optional<QuantizationReport> report(QuantizableModel model) {
    return model
        .record()
        .map(record -> ReportRecord.read(record, "the record in " + model.source()));
  }

  /**
   * What came of the verification of a model, if it is an artifact that Kvant wrote and whose
   * format keeps that. Of the outputs and of the tensors it has only the one with the lowest ratio.
   *
   * @throws ModelFormatException if the model carries a record that is damaged, or was written by a
   *     newer version
   */
  public Optional<Verification> verification(QuantizableModel model) {
    return model
        .record()
        .flatMap(
            record ->
                ReportRecord.verification(
                    record, "the record in " + model.source(), model.source()));
  }

  /** The backends that are installed, and all that stands in the way of others. */
  public Installation backends() {
    return registry.installation();
  }

  /** Closes the class loaders of plugins. A second call does nothing. */
  @Override
  public void close() {
    registry.close();
    validator.close();
  }

  /**
   * Collects what a {@link Kvant} works with.
   *
   * @since 0.1.0
   */
  public static final class Builder {

    private final List<ClassLoader> classLoaders = new ArrayList<>();
    private final List<Path> pluginDirectories = new ArrayList<>();
    private final List<QuantizationBackend> backends = new ArrayList<>();
    private final List<ModelFormat> formats = new ArrayList<>();
    private final List<ModelRunnerProvider> runners = new ArrayList<>();
    private final List<ModelSource> sources = new ArrayList<>();
    private final List<DataReaderProvider> readers = new ArrayList<>();
    private final List<QuantizationListener> listeners = new ArrayList<>();
    private int parallelism = Runtime.getRuntime().availableProcessors();
    private boolean discovery = true;

    private Builder() {}

    /**
     * Looks for providers there, instead of beside Kvant's own classes. Can be given repeatedly.
     */
    public Builder classLoader(ClassLoader loader) {
      classLoaders.add(Objects.requireNonNull(loader, "loader"));
      return this;
    }

    /**
     * Looks for plugins in a folder: each sub-folder with jars is one and gets a class loader of
     * its own. Can be given repeatedly.
     */
    public Builder pluginDirectory(Path directory) {
      pluginDirectories.add(Objects.requireNonNull(directory, "directory"));
      return this;
    }

    /** Looks for no providers beside Kvant's own classes. */
    public Builder withoutDiscovery() {
      discovery = false;
      return this;
    }

    /** Uses a backend of one's own, instead of one of the same class that discovery would make. */
    public Builder backend(QuantizationBackend backend) {
      backends.add(Objects.requireNonNull(backend, "backend"));
      return this;
    }

    /** Uses a format of one's own, instead of one of the same class that discovery would make. */
    public Builder format(ModelFormat format) {
      formats.add(Objects.requireNonNull(format, "format"));
      return this;
    }

    /** Uses a runner of one's own, instead of one of the same class that discovery would make. */
    public Builder runner(ModelRunnerProvider runner) {
      runners.add(Objects.requireNonNull(runner, "runner"));
      return this;
    }

    /** Uses a source of one's own, instead of one of the same class that discovery would make. */
    public Builder source(ModelSource source) {
      sources.add(Objects.requireNonNull(source, "source"));
      return this;
    }

    /**
     * Uses a data reader of one's own, instead of one of the same class that discovery would make.
     */
    public Builder reader(DataReaderProvider reader) {
      readers.add(Objects.requireNonNull(reader, "reader"));
      return this;
    }

    /** Adds who hears of progress and warnings of every quantizer. Can be given repeatedly. */
    public Builder listener(QuantizationListener listener) {
      listeners.add(Objects.requireNonNull(listener, "listener"));
      return this;
    }

    /**
     * Sets how many threads a quantizer may use; as many as there are processors by default.
     *
     * @throws IllegalArgumentException if it is less than 1
     */
    public Builder parallelism(int threads) {
      if (threads < 1) {
        throw new IllegalArgumentException("threads: must be at least 1, was " + threads);
      }
      this.parallelism = threads;
      return this;
    }

    /** The entry point; nothing is looked for or loaded before it is needed. */
    public Kvant build() {
      return new Kvant(this);
    }
  }
}
