package dev.kvant.maven;

import dev.kvant.api.Artifact;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.EvaluationGates;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Verification;
import dev.kvant.api.VerificationException;
import dev.kvant.report.BeforeAndAfter;
import dev.kvant.report.EvaluationResult;
import dev.kvant.report.JsonDocument;
import dev.kvant.report.ReportDocument;
import dev.kvant.report.ReportFiles;
import dev.kvant.report.SpecFile;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.config.RecipeDocument;
import dev.kvant.runtime.evaluation.FileBytes;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugin.descriptor.PluginDescriptor;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.jspecify.annotations.Nullable;

/**
 * Quantizes a model and writes the artifacts and a report: as a spec says, or as suits the model
 * and the data. Does nothing if neither the model, the spec, the data nor a version has changed
 * since the last run.
 *
 * @since 0.1.0
 */
@Mojo(name = "quantize", defaultPhase = LifecyclePhase.PROCESS_RESOURCES, threadSafe = true)
public final class QuantizeMojo extends KvantMojo {

  /** Where values of a spec come from that was made for a model. */
  static final String ORIGIN = "as given in the POM";

  private static final String SNAPSHOT = "-SNAPSHOT";

  /** The plugin with its dependencies. */
  @Parameter(defaultValue = "${plugin}", readonly = true, required = true)
  @SuppressWarnings("NullAway.Init")
  private PluginDescriptor plugin;

  @Parameter(defaultValue = "${mojo.executionId}", readonly = true, required = true)
  @SuppressWarnings("NullAway.Init")
  private String execution;

  @Parameter(defaultValue = "${project.build.outputDirectory}", readonly = true, required = true)
  @SuppressWarnings("NullAway.Init")
  private File classes;

  /**
   * The folder among the project's resources that the artifacts are copied to, as {@code models}
   * for {@code target/classes/models}; {@code .} for the root. Without it they are not copied.
   */
  @Parameter(property = "kvant.resourcePath")
  private @Nullable String resourcePath;

  /**
   * The gate on size: the most that all artifacts of the model may have, as {@code 25MB}, {@code
   * 24MiB} or {@code 30%} of the original.
   */
  @Parameter(property = "kvant.maxSize")
  private @Nullable String maxSize;

  /** Quantizes again even if nothing has changed. */
  @Parameter(property = "kvant.force", defaultValue = "false")
  private boolean force;

  /** For Maven. */
  public QuantizeMojo() {}

  @Override
  void execute(Kvant kvant) throws MojoFailureException {
    claimFolder();
    Optional<SizeLimit> limit = Optional.ofNullable(maxSize).map(SizeLimit::of);
    Job job = job(kvant);
    try (QuantizableModel model = kvant.load(job.source())) {
      String inputs = fingerprint(job, model);
      LastRun last = force ? null : LastRun.matching(inputs, outputDirectory());
      if (last == null) {
        List<Path> artifacts = quantize(kvant, job, model, limit);
        new LastRun(inputs, artifacts).write(outputDirectory());
        copy(artifacts);
      } else {
        copy(last.outputs());
        getLog()
            .info(
                "%s is up to date in %s; neither the model, the spec, the data nor a version has"
                        .formatted(model.source().getFileName(), outputDirectory())
                    + " changed");
      }
    }
  }

  /** Refuses to share a folder with another execution, each of which would undo the other's. */
  @SuppressWarnings("unchecked")
  private void claimFolder() {
    Map<Object, Object> context = getPluginContext();
    if (context == null) {
      return;
    }
    Object other = context.putIfAbsent("folder " + outputDirectory().toAbsolutePath(), execution);
    if (other != null && !other.equals(execution)) {
      throw new IllegalArgumentException(
          "the executions '%s' and '%s' both write into %s; give each an <outputDirectory> of its own"
              .formatted(other, execution, outputDirectory()));
    }
  }

  private String fingerprint(Job job, QuantizableModel model) {
    ModelQuantizationConfig config = job.config();
    Fingerprint fingerprint =
        new Fingerprint()
            .with("config", config)
            .with("maxSize", String.valueOf(maxSize))
            .with("java", Runtime.version().feature())
            .with("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"))
            .with("plugin", plugin.getVersion());
    for (org.apache.maven.artifact.Artifact library : plugin.getArtifacts()) {
      fingerprint.with("library", library.getId());
      if (library.getVersion().endsWith(SNAPSHOT) && library.getFile() != null) {
        fingerprint.withContent("content", library.getFile().toPath());
      }
    }
    model.files().forEach(file -> fingerprint.withContent("model", file));
    paths().inputs(config).forEach(input -> fingerprint.withContent("data", input));
    return fingerprint.value();
  }

  private List<Path> quantize(
      Kvant kvant, Job job, QuantizableModel model, Optional<SizeLimit> limit)
      throws MojoFailureException {
    ReportFiles reports = ReportFiles.at(outputDirectory());
    reports.check();
    @Nullable SpecFile specFile = job.recipe() == null ? null : SpecFile.beside(outputDirectory());
    try (ModelQuantizer quantizer = kvant.quantizer(job.config())) {
      List<String> warnings = new ArrayList<>();
      Optional<BeforeAndAfter> comparison =
          BeforeAndAfter.prepare(kvant, quantizer.config(), model, warnings::add);
      refuseLeftOutGates(job.config(), warnings);
      @Nullable JsonDocument spec =
          specFile == null ? null : made(job.recipe(), quantizer.config(), specFile);
      SavedModel saved;
      try {
        saved = kvant.quantize(quantizer, model, outputDirectory());
      } catch (VerificationException e) {
        List<Path> written = reports.write(ReportDocument.of(model, e.saved(), null, spec));
        throw gate(
            e.getMessage()
                + "; keep sensitive modules native in a spec, choose another <mode>, or lower <minSqnr>",
            written);
      }
      @Nullable EvaluationResult evaluation =
          comparison.map(each -> each.evaluate(saved)).orElse(null);
      List<Path> written = reports.write(ReportDocument.of(model, saved, evaluation, spec));
      check(job.config(), model, saved, evaluation, limit, written);
      getLog().info("Report: " + link(written));
      return saved.artifacts().stream().map(Artifact::path).toList();
    }
  }

  private static JsonDocument made(
      @Nullable RecipeDocument recipe, ModelQuantizationConfig effective, SpecFile file) {
    String text = SpecFile.marked(Objects.requireNonNull(recipe).text(effective, ORIGIN));
    file.write(text);
    return new JsonDocument().put("path", file.path()).put("text", text);
  }

  /** A gate that cannot be checked is not passed. */
  private static void refuseLeftOutGates(ModelQuantizationConfig config, List<String> warnings)
      throws MojoFailureException {
    EvaluationConfig evaluation = config.evaluation();
    if (evaluation != null
        && !evaluation.gates().equals(EvaluationGates.NONE)
        && !warnings.isEmpty()) {
      throw new MojoFailureException(
          "a gate cannot be checked: %s; add what runs the model to the <dependencies> of"
                  .formatted(String.join("; ", warnings))
              + " kvant-maven-plugin, or remove the gate");
    }
  }

  private void check(
      ModelQuantizationConfig config,
      QuantizableModel model,
      SavedModel saved,
      @Nullable EvaluationResult evaluation,
      Optional<SizeLimit> limit,
      List<Path> written)
      throws MojoFailureException {
    List<String> failed = new ArrayList<>();
    if (config.verify().minSqnr() != null) {
      saved.verifications().stream()
          .filter(each -> each.status() == Verification.Status.NOT_VERIFIED)
          .map(each -> "%s could not be verified: %s".formatted(each.artifact(), each.reason()))
          .forEach(failed::add);
    }
    if (evaluation != null && config.evaluation() != null) {
      failed.addAll(evaluation.failed(config.evaluation().gates()));
    }
    limit
        .flatMap(
            most ->
                most.fault(
                    saved.artifacts().stream().mapToLong(Artifact::bytes).sum(),
                    FileBytes.of(model.files())))
        .ifPresent(failed::add);
    if (!failed.isEmpty()) {
      throw gate(String.join("; ", failed), written);
    }
  }

  private static MojoFailureException gate(String what, List<Path> report) {
    return new MojoFailureException(
        "gate not passed: %s. The report is in %s".formatted(what, link(report)));
  }

  private static String link(List<Path> report) {
    return report.get(report.size() - 1).toUri().toString();
  }

  private void copy(List<Path> artifacts) {
    if (resourcePath == null) {
      return;
    }
    Path folder = classes.toPath().resolve(resourcePath);
    try {
      Files.createDirectories(folder);
      for (Path artifact : artifacts) {
        Files.copy(
            artifact,
            folder.resolve(Objects.requireNonNull(artifact.getFileName())),
            StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the artifacts cannot be copied to " + folder, e);
    }
  }
}
