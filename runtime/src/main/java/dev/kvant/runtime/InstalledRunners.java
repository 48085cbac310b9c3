package dev.kvant.runtime;

import dev.kvant.api.Device;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.UnavailableException;
import dev.kvant.runtime.discovery.Registry;
import dev.kvant.runtime.evaluation.EvaluatedModel;
import dev.kvant.runtime.verification.RunnerSource;
import dev.kvant.spi.Availability;
import dev.kvant.spi.ModelRunner;
import dev.kvant.spi.ModelRunnerProvider;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Loads models into the runtimes that are installed. */
final class InstalledRunners {

  private final Registry registry;
  private final InstalledModels models;

  InstalledRunners(Registry registry, InstalledModels models) {
    this.registry = registry;
    this.models = models;
  }

  /** What loads models on one device. */
  RunnerSource on(Device device) {
    return new RunnerSource() {
      @Override
      public Device device() {
        return device;
      }

      @Override
      public boolean runs(String format) {
        return registry.runner(format).isPresent();
      }

      @Override
      public Optional<QuantizableModel> read(Path model, String format) {
        return registry.formats().stream()
                .anyMatch(installed -> installed.instance().ids().contains(format))
            ? Optional.of(models.open(model))
            : Optional.empty();
      }

      @Override
      public ModelRunner open(Path model, String format) {
        return runner(model, format, device);
      }

      @Override
      public ModelRunner open(QuantizableModel model) {
        return runner(model, device);
      }

      @Override
      public Optional<ModelRunner> openUnoptimized(Path model, String format) {
        return provider(model, format, device).openUnoptimized(model, device);
      }
    };
  }

  /** Loads a model file, see {@link Kvant#runner}. */
  ModelRunner runner(Path model, Device device) {
    String format;
    try (QuantizableModel opened = models.open(model)) {
      format = opened.format();
    }
    return runner(model, format, device);
  }

  private ModelRunner runner(Path model, String format, Device device) {
    return provider(model, format, device).open(model, device);
  }

  private ModelRunner runner(QuantizableModel model, Device device) {
    return provider(model.source(), model.format(), device).open(model, device);
  }

  private ModelRunnerProvider provider(Path model, String format, Device device) {
    Objects.requireNonNull(device, "device");
    if (!device.isKnown()) {
      throw new InvalidConfigurationException(
          "device", "'%s' is not a device; use cpu, cuda or cuda:N".formatted(device));
    }
    ModelRunnerProvider provider =
        registry
            .runner(format)
            .orElseThrow(
                () ->
                    new UnavailableException(
                        "nothing installed runs models of format '%s', which %s is"
                            .formatted(format, model)));
    if (provider.availability() instanceof Availability.Unavailable unavailable) {
      throw new UnavailableException(
          "models of format '%s' cannot run here: %s".formatted(format, unavailable.reason()));
    }
    return provider;
  }

  /** Loads a model file to be evaluated. The caller closes it. */
  EvaluatedModel evaluated(Path model, Device device) {
    String format;
    List<Path> files = new ArrayList<>(List.of(model));
    try (QuantizableModel opened = models.open(model)) {
      format = opened.format();
      files.addAll(opened.files().subList(1, opened.files().size()));
    }
    return new EvaluatedModel(model, files, format, runner(model, format, device));
  }

  /** Loads an open model to be evaluated. The caller closes what this gives. */
  EvaluatedModel evaluated(QuantizableModel model, Device device) {
    return new EvaluatedModel(model.source(), model.files(), model.format(), runner(model, device));
  }
}
