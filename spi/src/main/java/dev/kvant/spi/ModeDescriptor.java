package dev.kvant.spi;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.Operand;
import java.util.Collection;
import java.util.List;
import java.util.Objects;

/**
 * What a backend can do in one mode. {@code native} is always possible and not listed.
 *
 * @param weights the dtypes of weights, in the order to show them
 * @param activations the dtypes of activations; empty if the mode leaves activations alone, so that
 *     settings for them are ignored with a warning
 * @param weightGranularities which granularities rules may ask for weights; empty if there is no
 *     choice
 * @param activationGranularities the same for activations
 * @param algorithms how ranges can be chosen; empty if there is no choice
 * @param calibration whether the mode observes the model on data
 * @since 0.1.0
 */
public record ModeDescriptor(
    List<Dtype> weights,
    List<Dtype> activations,
    List<Granularity.Kind> weightGranularities,
    List<Granularity.Kind> activationGranularities,
    List<CalibrationAlgorithm> algorithms,
    Calibration calibration) {

  /** Whether a mode observes the model on data before it quantizes. */
  public enum Calibration {
    /** Data is never used. */
    NONE,
    /** Works without data, and quantizes less or less well. */
    OPTIONAL,
    /** Quantizes no activations without data. */
    REQUIRED
  }

  public ModeDescriptor {
    weights = List.copyOf(weights);
    activations = List.copyOf(activations);
    weightGranularities = List.copyOf(weightGranularities);
    activationGranularities = List.copyOf(activationGranularities);
    algorithms = List.copyOf(algorithms);
    Objects.requireNonNull(calibration, "calibration");
  }

  /** A builder of a mode that quantizes nothing yet and uses no data. */
  public static Builder builder() {
    return new Builder();
  }

  /** The dtypes of that operand. */
  public List<Dtype> dtypes(Operand operand) {
    return operand == Operand.WEIGHTS ? weights : activations;
  }

  /** Which granularities rules may ask for that operand. */
  public List<Granularity.Kind> granularities(Operand operand) {
    return operand == Operand.WEIGHTS ? weightGranularities : activationGranularities;
  }

  /** Whether data is used if there is some. */
  public boolean calibrates() {
    return calibration != Calibration.NONE;
  }

  /**
   * Collects what a mode can do.
   *
   * @since 0.1.0
   */
  public static final class Builder {

    private List<Dtype> weights = List.of();
    private List<Dtype> activations = List.of();
    private List<Granularity.Kind> weightGranularities = List.of();
    private List<Granularity.Kind> activationGranularities = List.of();
    private List<CalibrationAlgorithm> algorithms = List.of();
    private Calibration calibration = Calibration.NONE;

    private Builder() {}

    /** Sets the dtypes of weights. */
    public Builder weights(List<Dtype> dtypes) {
      this.weights = List.copyOf(dtypes);
      return this;
    }

    /** Sets the dtypes of activations. */
    public Builder activations(List<Dtype> dtypes) {
      this.activations = List.copyOf(dtypes);
      return this;
    }

    /** Sets which granularities rules may ask for weights. */
    public Builder weightGranularities(Collection<Granularity.Kind> kinds) {
      this.weightGranularities = List.copyOf(kinds);
      return this;
    }

    /** Sets which granularities rules may ask for activations. */
    public Builder activationGranularities(Collection<Granularity.Kind> kinds) {
      this.activationGranularities = List.copyOf(kinds);
      return this;
    }

    /** Sets how ranges can be chosen, the default first. */
    public Builder algorithms(List<CalibrationAlgorithm> algorithms) {
      this.algorithms = List.copyOf(algorithms);
      return this;
    }

    /** Sets whether data is used. */
    public Builder calibration(Calibration calibration) {
      this.calibration = Objects.requireNonNull(calibration, "calibration");
      return this;
    }

    /** The mode. */
    public ModeDescriptor build() {
      return new ModeDescriptor(
          weights,
          activations,
          weightGranularities,
          activationGranularities,
          algorithms,
          calibration);
    }
  }
}
