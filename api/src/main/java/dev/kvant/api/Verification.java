package dev.kvant.api;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What came of comparing an artifact with its source: of running both on the same samples or, where
 * nothing runs the artifact, of reading its tensors back.
 *
 * <p>A runtime that can run a model with and without its optimizations runs the artifact in both
 * ways; the ratios are those with optimizations. The shape of an output may differ if it depends on
 * the values of the inputs.
 *
 * <p>An artifact is rejected if it does not load or run, lacks an output, gives one of another type
 * or shape, gives a value that is not finite where the source's is, or if the ratio of signal to
 * quantization noise of an output, {@code 10·log10(Σ r² / Σ (r-q)²)} with the source's values
 * {@code r}, is below the configured minimum; below 0 dB where none is configured.
 *
 * <p>An artifact that is read back is rejected if it cannot be opened, if a tensor of a module that
 * is not quantized is missing or differs, or if a quantized tensor is not finite or has another
 * ratio of signal to quantization noise, {@code 10·log10(Σ w² / Σ (w-ŵ)²)}, than the report states.
 *
 * @param artifact the artifact, where it is now
 * @param status the result
 * @param reason why it was not verified, or was rejected; null if it was verified
 * @param samples on how many samples; 0 if it did not run
 * @param tensors how many tensors were read back and compared by value; 0 if it ran
 * @param synthetic whether the samples were made from the types and shapes of the inputs, because
 *     there was no data; the result then says only that the artifact loads, is finite, and is close
 *     to its source on such inputs
 * @param sqnrByOutput the ratio in decibels of each floating-point output; infinite where equal
 * @param sqnrByTensor the ratio in decibels of each tensor that was read back and differs from the
 *     source's
 * @since 0.1.0
 */
public record Verification(
    Path artifact,
    Status status,
    @Nullable String reason,
    int samples,
    int tensors,
    boolean synthetic,
    Map<String, Double> sqnrByOutput,
    Map<String, Double> sqnrByTensor) {

  /** Below that many decibels the noise is a third of the signal and more. */
  private static final double LOW_SQNR = 10;

  /** The result of a verification. */
  public enum Status {
    /** It gives what the source gives, but for quantization noise. */
    VERIFIED,
    /** It could not be run here, or was not to be. */
    NOT_VERIFIED,
    /** It is wrong. */
    REJECTED
  }

  public Verification {
    Objects.requireNonNull(artifact, "artifact");
    Objects.requireNonNull(status, "status");
    sqnrByTensor = Collections.unmodifiableMap(new LinkedHashMap<>(sqnrByTensor));
    sqnrByOutput = Collections.unmodifiableMap(new LinkedHashMap<>(sqnrByOutput));
  }

  /** An artifact that could not be run here, for that reason. */
  public static Verification notVerified(Path artifact, String reason) {
    return builder(artifact, Status.NOT_VERIFIED).reason(reason).build();
  }

  /** A builder of the result of one artifact, without a reason and without figures. */
  public static Builder builder(Path artifact, Status status) {
    return new Builder(artifact, status);
  }

  /** The same result of an artifact that was moved. */
  public Verification at(Path place) {
    return new Verification(
        place, status, reason, samples, tensors, synthetic, sqnrByOutput, sqnrByTensor);
  }

  /** A warning of an artifact that is hardly like its source, though not rejected. */
  public Optional<QuantizationWarning> warning() {
    return sqnrByOutput.entrySet().stream()
        .filter(output -> status == Status.VERIFIED && output.getValue() < LOW_SQNR)
        .findFirst()
        .map(
            output ->
                new QuantizationWarning(
                    QuantizationWarning.Kind.OTHER,
                    String.format(
                        Locale.ROOT,
                        "output '%s' of %s has an SQNR of %.1f dB, which is low; evaluate it before"
                            + " it is used",
                        output.getKey(),
                        artifact,
                        output.getValue()),
                    null,
                    List.of()));
  }

  /** Whether the artifact is wrong. */
  public boolean isRejected() {
    return status == Status.REJECTED;
  }

  /**
   * Collects what is known of one artifact.
   *
   * @since 0.1.0
   */
  public static final class Builder {

    private final Path artifact;
    private final Status status;
    private @Nullable String reason;
    private int samples;
    private int tensors;
    private boolean synthetic;
    private Map<String, Double> sqnrByOutput = Map.of();
    private Map<String, Double> sqnrByTensor = Map.of();

    private Builder(Path artifact, Status status) {
      this.artifact = Objects.requireNonNull(artifact, "artifact");
      this.status = Objects.requireNonNull(status, "status");
    }

    /** Sets why it was not verified, or was rejected; null if it was verified. */
    public Builder reason(@Nullable String text) {
      this.reason = text;
      return this;
    }

    /** Sets on how many samples it ran, and whether they were made up. */
    public Builder samples(int count, boolean madeUp) {
      this.samples = count;
      this.synthetic = madeUp;
      return this;
    }

    /** Sets the ratio of each output in decibels. */
    public Builder outputs(Map<String, Double> ratios) {
      this.sqnrByOutput = new LinkedHashMap<>(ratios);
      return this;
    }

    /** Sets how many tensors were read back, and the ratio of each that differs in decibels. */
    public Builder tensors(int count, Map<String, Double> ratios) {
      this.tensors = count;
      this.sqnrByTensor = new LinkedHashMap<>(ratios);
      return this;
    }

    /** The result. */
    public Verification build() {
      return new Verification(
          artifact, status, reason, samples, tensors, synthetic, sqnrByOutput, sqnrByTensor);
    }
  }
}
