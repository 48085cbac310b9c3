package dev.kvant.api;

import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Positive;
import java.util.List;
import java.util.Objects;

/**
 * How image files become input tensors.
 *
 * @param size height and width in pixels; one number means a square
 * @param mean what is subtracted from each channel, on a scale of 0 to 1
 * @param std what each channel is divided by then
 * @param layout {@code NCHW} or {@code NHWC}
 * @since 0.1.0
 */
public record ImageConfig(
    List<@Positive Integer> size,
    List<Double> mean,
    List<Double> std,
    @Pattern(regexp = "NCHW|NHWC", message = "must be NCHW or NHWC") String layout) {

  public ImageConfig {
    size = List.copyOf(size);
    mean = List.copyOf(mean);
    std = List.copyOf(std);
    Objects.requireNonNull(layout, "layout");
  }
}
