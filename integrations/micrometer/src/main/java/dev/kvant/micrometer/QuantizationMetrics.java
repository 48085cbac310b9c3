package dev.kvant.micrometer;

import dev.kvant.api.Artifact;
import dev.kvant.api.FinishedStep;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Verification;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.Locale;
import java.util.Objects;

/**
 * Counts and times the steps of quantizers.
 *
 * <table>
 *   <caption>The meters</caption>
 *   <tr><th>meter</th><th>kind</th><th>tags</th><th>what</th></tr>
 *   <tr><td>{@code kvant.steps}</td><td>timer</td><td>{@code backend}, {@code step}, {@code outcome}</td>
 *       <td>the time of each step</td></tr>
 *   <tr><td>{@code kvant.modules}</td><td>counter</td><td>{@code backend}, {@code result}</td>
 *       <td>modules of saved models, {@code quantized} or {@code native}</td></tr>
 *   <tr><td>{@code kvant.weights}</td><td>counter, bytes</td><td>{@code backend}, {@code state}</td>
 *       <td>sizes of all modules of saved models, {@code before} and {@code after}</td></tr>
 *   <tr><td>{@code kvant.artifacts}</td><td>summary, bytes</td><td>{@code backend}, {@code format}</td>
 *       <td>sizes of written files</td></tr>
 *   <tr><td>{@code kvant.verifications}</td><td>counter</td><td>{@code backend}, {@code status}</td>
 *       <td>artifacts of saved models, {@code verified} or {@code not_verified}; a rejected one ends
 *       the step with an error</td></tr>
 *   <tr><td>{@code kvant.warnings}</td><td>counter</td><td>{@code kind}</td><td>warnings</td></tr>
 * </table>
 *
 * <p>No tag contains a name from a model or a path, so the number of meters is small. Thread-safe,
 * like the registry.
 *
 * @since 0.1.0
 */
public final class QuantizationMetrics implements QuantizationListener {

  private final MeterRegistry registry;

  /** Metrics in that registry. */
  public QuantizationMetrics(MeterRegistry registry) {
    this.registry = Objects.requireNonNull(registry, "registry");
  }

  @Override
  public void onWarning(QuantizationWarning warning) {
    Counter.builder("kvant.warnings")
        .description("Differences from the configuration")
        .tag("kind", label(warning.kind()))
        .register(registry)
        .increment();
  }

  @Override
  public void onFinished(FinishedStep step) {
    Timer.builder("kvant.steps")
        .description("Time of the steps of quantizers")
        .tag("backend", step.backend())
        .tag("step", step.step())
        .tag("outcome", label(step.outcome()))
        .register(registry)
        .record(step.duration());
  }

  @Override
  public void onSaved(SavedModel model) {
    QuantizationReport report = model.report();
    for (ModuleReport module : report.modules()) {
      modules(report.backend(), module.decision().isQuantized() ? "quantized" : "native")
          .increment();
      weights(report.backend(), "before").increment((double) module.bytesBefore());
      weights(report.backend(), "after").increment((double) module.bytesAfter());
    }
    for (Artifact artifact : model.artifacts()) {
      artifacts(report.backend(), artifact.format()).record((double) artifact.bytes());
    }
    for (Verification verification : model.verifications()) {
      verifications(report.backend(), label(verification.status())).increment();
    }
  }

  private Counter modules(String backend, String result) {
    return Counter.builder("kvant.modules")
        .description("Modules of saved models")
        .tag("backend", backend)
        .tag("result", result)
        .register(registry);
  }

  private Counter weights(String backend, String state) {
    return Counter.builder("kvant.weights")
        .description("Sizes of the modules of saved models")
        .baseUnit("bytes")
        .tag("backend", backend)
        .tag("state", state)
        .register(registry);
  }

  private Counter verifications(String backend, String status) {
    return Counter.builder("kvant.verifications")
        .description("Artifacts of saved models by the result of their verification")
        .tag("backend", backend)
        .tag("status", status)
        .register(registry);
  }

  private DistributionSummary artifacts(String backend, String format) {
    return DistributionSummary.builder("kvant.artifacts")
        .description("Sizes of written files")
        .baseUnit("bytes")
        .tag("backend", backend)
        .tag("format", format)
        .register(registry);
  }

  private static String label(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
