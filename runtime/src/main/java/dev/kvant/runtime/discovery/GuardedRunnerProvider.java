package dev.kvant.runtime.discovery;

import dev.kvant.api.Device;
import dev.kvant.api.InputDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.spi.Availability;
import dev.kvant.spi.ModelRunner;
import dev.kvant.spi.ModelRunnerProvider;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What runs models, behind a guard. It names its formats once. */
final class GuardedRunnerProvider implements ModelRunnerProvider {

  private final ModelRunnerProvider provider;
  private final ProviderCall call;
  private final List<String> formats;

  GuardedRunnerProvider(Provided<ModelRunnerProvider> provided) throws Undescribed {
    provider = provided.instance();
    call = new ProviderCall("runner", provided);
    formats = List.copyOf(call.describe("formats()", provider::formats));
  }

  @Override
  public List<String> formats() {
    return formats;
  }

  /** A runner that fails to tell cannot work. */
  @Override
  public Availability availability() {
    return call.availability(provider::availability);
  }

  @Override
  public ModelRunner open(Path model, Device device) {
    return new GuardedRunner(call.work("open()", () -> provider.open(model, device)));
  }

  @Override
  public ModelRunner open(QuantizableModel model, Device device) {
    return new GuardedRunner(call.work("open()", () -> provider.open(model, device)));
  }

  @Override
  public Optional<ModelRunner> openUnoptimized(Path model, Device device) {
    return call.work("openUnoptimized()", () -> provider.openUnoptimized(model, device))
        .map(GuardedRunner::new);
  }

  private final class GuardedRunner implements ModelRunner {

    private final ModelRunner runner;

    GuardedRunner(ModelRunner runner) {
      this.runner = runner;
    }

    @Override
    public List<InputDescription> inputs() {
      return List.copyOf(call.ask("inputs()", runner::inputs));
    }

    @Override
    public Map<String, Tensor> run(TensorBatch batch) {
      return call.work("run()", () -> runner.run(batch));
    }

    @Override
    public void close() {
      call.work("close()", runner::close);
    }
  }
}
