package dev.kvant.runtime.discovery;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.ProviderException;
import dev.kvant.api.SavedModel;
import dev.kvant.spi.CalibrationStatistics;
import dev.kvant.spi.Observation;
import dev.kvant.spi.QuantizationRun;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A run behind the guard of its backend. */
final class GuardedRun implements QuantizationRun {

  private final QuantizationRun run;
  private final String backend;
  private final ProviderCall call;

  /**
   * @param run the backend's
   * @param backend the id of the backend
   * @param call guards calls into the backend
   */
  GuardedRun(QuantizationRun run, String backend, ProviderCall call) {
    this.run = run;
    this.backend = backend;
    this.call = call;
  }

  @Override
  public Map<String, Observation> observations() {
    return call.ask("observations()", run::observations);
  }

  @Override
  public List<List<String>> groups() {
    return call.ask("groups()", run::groups);
  }

  @Override
  public CalibrationStatistics observe(CalibrationDataset data, Observation least) {
    return call.work("observe()", () -> run.observe(data, least));
  }

  @Override
  public void use(CalibrationStatistics statistics) {
    call.work("use()", () -> run.use(statistics));
  }

  @Override
  public void quantize() {
    call.work("quantize()", run::quantize);
  }

  @Override
  public SavedModel save(Path directory) {
    SavedModel saved = call.work("save()", () -> run.save(directory));
    if (!saved.report().backend().equals(backend)) {
      throw new ProviderException(
          "%s: the report that save() returned names backend '%s' instead of '%s'"
              .formatted(call, saved.report().backend(), backend));
    }
    return saved;
  }

  @Override
  public void close() {
    call.work("close()", run::close);
  }
}
