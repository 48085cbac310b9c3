package dev.kvant.spi;

import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationReport;
import java.util.Objects;
import java.util.function.Function;

/**
 * What a run works with beside its model and its plan.
 *
 * @since 0.1.0
 */
public final class RunContext {

  private final ModelQuantizationConfig config;
  private final Options options;
  private final QuantizationListener listener;
  private final int parallelism;
  private final Function<QuantizationReport, byte[]> records;

  private RunContext(Builder builder) {
    this.config = builder.config;
    this.options = builder.options;
    this.listener = builder.listener;
    this.parallelism = builder.parallelism;
    this.records = builder.records;
  }

  /**
   * A builder of a context.
   *
   * @param config a configuration that was validated, with its mode filled in
   * @param descriptor describes the backend that it names
   */
  public static Builder builder(ModelQuantizationConfig config, BackendDescriptor descriptor) {
    return new Builder(config, descriptor);
  }

  /** The validated configuration. */
  public ModelQuantizationConfig config() {
    return config;
  }

  /** How the model is quantized. */
  public QuantizationMode mode() {
    return Objects.requireNonNull(config.mode(), "mode");
  }

  /** The options of the backend, with their defaults filled in. */
  public Options options() {
    return options;
  }

  /** Who is told of progress and warnings. */
  public QuantizationListener listener() {
    return listener;
  }

  /** How many threads the run may use, at least 1. */
  public int parallelism() {
    return parallelism;
  }

  /**
   * The record to put into an artifact, where its format has a place for it. A model format gives
   * it back as {@link dev.kvant.api.QuantizableModel#record()}.
   *
   * @param report what the artifact holds
   * @return opaque bytes, UTF-8
   */
  public byte[] record(QuantizationReport report) {
    return records.apply(report);
  }

  /**
   * Collects what a context holds.
   *
   * @since 0.1.0
   */
  public static final class Builder {

    private final ModelQuantizationConfig config;
    private final Options options;
    private QuantizationListener listener = QuantizationListener.NONE;
    private int parallelism = 1;
    private Function<QuantizationReport, byte[]> records = report -> new byte[0];

    private Builder(ModelQuantizationConfig config, BackendDescriptor descriptor) {
      this.config = Objects.requireNonNull(config, "config");
      this.options = Options.of(descriptor.options(), config.backendKwargs());
    }

    /** Sets who is told of progress and warnings; nobody by default. */
    public Builder listener(QuantizationListener listener) {
      this.listener = Objects.requireNonNull(listener, "listener");
      return this;
    }

    /**
     * Sets how many threads the run may use; 1 by default.
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

    /** Sets how reports become records; without it records are empty. */
    public Builder records(Function<QuantizationReport, byte[]> records) {
      this.records = Objects.requireNonNull(records, "records");
      return this;
    }

    /** The context. */
    public RunContext build() {
      return new RunContext(this);
    }
  }
}
