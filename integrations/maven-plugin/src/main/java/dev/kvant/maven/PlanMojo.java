package dev.kvant.maven;

import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.runtime.Kvant;
import org.apache.maven.plugins.annotations.Mojo;
import org.jspecify.annotations.Nullable;

/**
 * Shows what {@code kvant:quantize} would do to each module, and writes nothing.
 *
 * @since 0.1.0
 */
@Mojo(name = "plan", threadSafe = true)
public final class PlanMojo extends KvantMojo {

  /** For Maven. */
  public PlanMojo() {}

  @Override
  void execute(Kvant kvant) {
    Job job = job(kvant);
    try (ModelQuantizer quantizer = kvant.quantizer(job.config());
        QuantizableModel model = kvant.load(job.source())) {
      QuantizationPlan plan = quantizer.prepare(model).plan();
      getLog()
          .info(
              "%s, %s: backend %s, mode %s"
                  .formatted(model.source(), model.format(), plan.backend(), plan.mode()));
      plan.modules().forEach(module -> getLog().info(line(module)));
      getLog()
          .info(
              "%d of %d modules with weights would be quantized"
                  .formatted(plan.quantized().size(), plan.modules().size()));
      if (job.recipe() != null) {
        getLog().info("The spec that suits the model:");
        job.recipe().text(quantizer.config(), QuantizeMojo.ORIGIN).lines().forEach(getLog()::info);
      }
    }
  }

  /** As in {@code head (Linear): weights int8, activations int8}. */
  private static String line(ModuleDecision module) {
    String name =
        module.type().isEmpty()
            ? module.module()
            : "%s (%s)".formatted(module.module(), module.type());
    @Nullable String reason =
        module.weights().reason() != null
            ? module.weights().reason()
            : module.activations().reason();
    return "  %s: weights %s, activations %s%s"
        .formatted(
            name,
            dtype(module.weights()),
            dtype(module.activations()),
            reason == null ? "" : "; " + reason);
  }

  private static String dtype(OperandDecision operand) {
    return operand.dtype().toString();
  }
}
