package dev.kvant.maven;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.Dtype;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.KvantException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.config.ConfigDocument;
import dev.kvant.runtime.config.RecipeDocument;
import java.io.File;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Parameter;
import org.codehaus.plexus.configuration.PlexusConfiguration;
import org.jspecify.annotations.Nullable;

/** What the goals have in common: what to quantize and how, and how errors are told. */
abstract class KvantMojo extends AbstractMojo {

  private static final String NO_MODEL = "give <model> in the configuration of the plugin";

  /** The project's folder; relative paths count from here, those in a spec too. */
  @Parameter(defaultValue = "${project.basedir}", readonly = true, required = true)
  @SuppressWarnings("NullAway.Init")
  private File basedir;

  /** The model: a file or a folder. It may stand in the spec instead, as {@code model_path}. */
  @Parameter(property = "kvant.model")
  private @Nullable File model;

  /**
   * The spec, a YAML file. Without it and without {@code quantize}, Kvant chooses what suits the
   * model and the data, as {@code kvant quantize MODEL} does.
   */
  @Parameter(property = "kvant.spec")
  private @Nullable File spec;

  /**
   * The section {@code quantize} of a spec as XML, instead of a file. Elements are the keys of a
   * spec; {@code <layers>} has children {@code <layer>}, {@code <skip_names>} has {@code
   * <skip_name>}.
   */
  @Parameter private @Nullable PlexusConfiguration quantize;

  /** Calibration data: NumPy arrays, or what other data readers read. */
  @Parameter(property = "kvant.data")
  private @Nullable File data;

  /** Settings of the data reader, as in {@code <tokenizer>tokenizer.json</tokenizer>}. */
  @Parameter private Map<String, String> settings = new LinkedHashMap<>();

  /** Data to compare the model before and after; the data of {@code data} if a gate needs some. */
  @Parameter(property = "kvant.evaluationData")
  private @Nullable File evaluationData;

  /** Without a spec: the backend. Default: the one that quantizes most. */
  @Parameter(property = "kvant.backend")
  private @Nullable String backend;

  /**
   * Without a spec: {@code weight_only_ptq}, {@code static_ptq} or {@code dynamic_ptq}. Default:
   * what suits the model and the data.
   */
  @Parameter(property = "kvant.mode")
  private @Nullable String mode;

  /** Without a spec: the dtype, as {@code int8} or {@code fp8_e4m3fn}. Default: int8. */
  @Parameter(property = "kvant.dtype")
  private @Nullable String dtype;

  /** Without a spec: what the artifact is for, a value of the backend's option {@code target}. */
  @Parameter(property = "kvant.target")
  private @Nullable String target;

  /** The folder for the artifacts, the spec that was made, and the report. */
  @Parameter(
      property = "kvant.outputDirectory",
      defaultValue = "${project.build.directory}/kvant",
      required = true)
  @SuppressWarnings("NullAway.Init")
  private File outputDirectory;

  /**
   * The gate on accuracy that needs no data: the signal-to-quantization-noise ratio in decibels
   * that each output must reach. 10 is a third of noise, 20 a tenth, 30 a thirtieth.
   */
  @Parameter(property = "kvant.minSqnr")
  private @Nullable Double minSqnr;

  /** The gate on accuracy on data: the least mean cosine similarity to the original, -1 to 1. */
  @Parameter(property = "kvant.minCosine")
  private @Nullable Double minCosine;

  /** How many threads may be used. Default: as many as there are processors. */
  @Parameter(property = "kvant.threads")
  private @Nullable Integer threads;

  /** Does nothing. */
  @Parameter(property = "kvant.skip", defaultValue = "false")
  private boolean skip;

  /** What a goal is to do. */
  record Job(Kvant kvant, ModelQuantizationConfig config, @Nullable RecipeDocument recipe) {

    Path source() {
      return Objects.requireNonNull(config.modelPath(), "model");
    }
  }

  @Override
  public final void execute() throws MojoExecutionException, MojoFailureException {
    if (skip) {
      getLog().info("Kvant is skipped, because kvant.skip is set");
      return;
    }
    try (Kvant kvant = kvant()) {
      execute(kvant);
    } catch (KvantException | UncheckedIOException | IllegalArgumentException e) {
      throw failure(Messages.of(e), e);
    }
  }

  /** An error that the user can mend: without the stack trace, which {@code -X} shows. */
  private MojoFailureException failure(String message, Exception cause) {
    getLog().debug(cause);
    return new MojoFailureException(message);
  }

  private Kvant kvant() {
    Kvant.Builder builder = Kvant.builder().classLoader(KvantMojo.class.getClassLoader());
    if (threads != null) {
      builder.parallelism(threads);
    }
    return builder.build();
  }

  /** Does the work of the goal. */
  abstract void execute(Kvant kvant) throws MojoExecutionException, MojoFailureException;

  ProjectPaths paths() {
    return new ProjectPaths(basedir.toPath());
  }

  Path outputDirectory() {
    return outputDirectory.toPath();
  }

  /** The parameters that decide what is done, for a fingerprint. */
  Map<String, @Nullable Object> parameters() {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("backend", backend);
    values.put("mode", mode);
    values.put("dtype", dtype);
    values.put("target", target);
    values.put("settings", settings);
    return values;
  }

  /** The model that the parameters or the spec name, and how it is quantized. */
  Job job(Kvant kvant) {
    RecipeDocument recipe = isSpecGiven() ? null : recipe(kvant);
    ConfigDocument document = recipe == null ? written() : recipe.document();
    try (ModelQuantizer quantizer = kvant.quantizer(document)) {
      return new Job(kvant, paths().resolve(gates().addTo(quantizer.config())), recipe);
    }
  }

  private Gates gates() {
    return new Gates(minSqnr, minCosine, evaluationData == null ? null : evaluationData.toPath());
  }

  private boolean isSpecGiven() {
    if (spec != null && quantize != null) {
      throw new IllegalArgumentException("give <spec> or <quantize>, not both");
    }
    return spec != null || quantize != null;
  }

  private RecipeDocument recipe(Kvant kvant) {
    if (model == null) {
      throw new InvalidConfigurationException("model", "is required; " + NO_MODEL);
    }
    if (data == null && edits().stream().anyMatch(edit -> !RecipeDocument.isOfSpec(edit))) {
      throw new IllegalArgumentException(
          "<settings> has settings of a data reader, and there is no <data>");
    }
    Recipe recipe;
    try (QuantizableModel opened = kvant.load(model.toPath())) {
      recipe =
          kvant.recommend(
              opened,
              RecipeRequest.builder()
                  .backend(backend)
                  .mode(mode == null ? null : QuantizationMode.of(mode))
                  .dtype(dtype == null ? null : Dtype.of(dtype))
                  .target(target)
                  .calibration(data == null ? null : CalibrationConfig.of(data.toPath()))
                  .build());
    }
    return RecipeDocument.of(
        recipe.with(
            recipe.config().toBuilder()
                .modelPath(model.toPath())
                .resultsDir(outputDirectory.toPath())
                .build()),
        edits());
  }

  private List<String> edits() {
    return settings.entrySet().stream()
        .map(setting -> setting.getKey() + "=" + setting.getValue())
        .toList();
  }

  private ConfigDocument written() {
    refuseWhatIsOfRecipes();
    ConfigDocument document =
        spec != null
            ? ConfigDocument.read(spec.toPath())
            : ConfigDocument.of(InlineSpec.document(Objects.requireNonNull(quantize)));
    List<String> edits =
        edits().stream()
            .map(edit -> RecipeDocument.isOfSpec(edit) ? edit : "quantize.calibration." + edit)
            .toList();
    document = document.withOverrides(edits).withResultsDir(outputDirectory.toPath());
    if (model != null) {
      document = document.withModelPath(model.toPath());
    }
    if (data != null) {
      document = document.withCalibrationData(data.toPath());
    }
    return document.requiringModelPath(NO_MODEL);
  }

  private void refuseWhatIsOfRecipes() {
    List<String> given = new ArrayList<>();
    if (backend != null) {
      given.add("<backend>");
    }
    if (mode != null) {
      given.add("<mode>");
    }
    if (dtype != null) {
      given.add("<dtype>");
    }
    if (target != null) {
      given.add("<target>");
    }
    if (!given.isEmpty()) {
      throw new IllegalArgumentException(
          "%s: only without a spec; write it into the spec".formatted(String.join(", ", given)));
    }
  }
}
