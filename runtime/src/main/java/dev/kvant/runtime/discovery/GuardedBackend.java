package dev.kvant.runtime.discovery;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.spi.Availability;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.util.List;
import java.util.Optional;

/** A backend behind a guard. It describes itself once. */
final class GuardedBackend implements QuantizationBackend {

  private final QuantizationBackend backend;
  private final ProviderCall call;
  private final BackendDescriptor descriptor;

  GuardedBackend(Provided<QuantizationBackend> provided) throws Undescribed {
    backend = provided.instance();
    call = new ProviderCall("backend", provided);
    descriptor = call.describe("descriptor()", backend::descriptor);
  }

  @Override
  public BackendDescriptor descriptor() {
    return descriptor;
  }

  /** A backend that fails to tell cannot work. */
  @Override
  public Availability availability() {
    return call.availability(backend::availability);
  }

  @Override
  public List<ConfigurationProblem> validate(ModelQuantizationConfig config) {
    return List.copyOf(call.ask("validate()", () -> backend.validate(config)));
  }

  @Override
  public Optional<String> remedy(String format) {
    return call.ask("remedy()", () -> backend.remedy(format));
  }

  @Override
  public Optional<Recipe> recommend(QuantizableModel model, RecipeRequest request) {
    return call.ask("recommend()", () -> backend.recommend(model, request));
  }

  @Override
  public List<Recipe> alternatives(QuantizableModel model, RecipeRequest request) {
    return List.copyOf(call.ask("alternatives()", () -> backend.alternatives(model, request)));
  }

  @Override
  public QuantizableModel prepare(QuantizableModel model, RunContext context) {
    return call.work("prepare()", () -> backend.prepare(model, context));
  }

  @Override
  public Support supports(SupportQuery query) {
    String method =
        "supports() for the %s of module '%s'"
            .formatted(query.operand().label(), query.module().name());
    return call.ask(method, () -> backend.supports(query));
  }

  @Override
  public QuantizationRun begin(QuantizableModel model, QuantizationPlan plan, RunContext context) {
    return new GuardedRun(
        call.work("begin()", () -> backend.begin(model, plan, context)), descriptor.id(), call);
  }
}
