package dev.kvant.api;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What came of running an artifact and its source on the same samples.
 *
 * <p>A runtime that can run a model with and without its optimizations runs the artifact in both
 * ways, and the lower ratio counts. The shape of an output may differ if it depends on the values
 * of the inputs.
 *
 * <p>An artifact is rejected if it does not load or run, lacks an output, gives one of another type
 * or shape, gives a value that is not finite where the source's is, or if the ratio of signal to
 * quantization noise of an output, {@code 10·log10(Σ r² / Σ (r-q)²)} with the source's values
 * {@code r}, is below the configured minimum; below 0 dB where none is configured.
 *
 * @param artifact the artifact, where it is now
 * @param status the result
 * @param reason why it was not verified, or was rejected; null if it was verified
 * @param samples on how many samples; 0 if it did not run
 * @param synthetic whether the samples were made from the types and shapes of the inputs, because
 *     there was no data; the result then says only that the artifact loads, is finite, and is close
 *     to its source on such inputs
 * @param sqnrByOutput the ratio in decibels of each floating-point output; infinite where equal
 * @since 0.1.0
 */
public record Verification(
    Path artifact,
    Status status,
    @Nullable String reason,
    int samples,
    boolean synthetic,
    Map<String, Double> sqnrByOutput) {

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
    sqnrByOutput = Collections.unmodifiableMap(new LinkedHashMap<>(sqnrByOutput));
  }

  /** An artifact that could not be run here, for that reason. */
  public static Verification notVerified(Path artifact, String reason) {
    return new Verification(artifact, Status.NOT_VERIFIED, reason, 0, false, Map.of());
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
                    "output '%s' of %s has an SQNR of %.1f dB, which is low; evaluate it before it is used"
                        .formatted(output.getKey(), artifact, output.getValue()),
                    null,
                    List.of()));
  }

  /** Whether the artifact is wrong. */
  public boolean isRejected() {
    return status == Status.REJECTED;
  }
}
