package dev.kvant.api;

import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Positive;
import jakarta.validation.constraints.Size;
import java.util.List;
import java.util.Objects;

/**
 * How image files become input tensors.
 *
 * @param size height and width in pixels; one number means a square
 * @param mean what is subtracted from each channel, on a scale of 0 to 1; one value makes images
 *     grey, three keep their colours
 * @param std what each channel is divided by then
 * @param layout {@code NCHW} or {@code NHWC}
 * @since 0.1.0
 */
public record ImageConfig(
    @Size(min = 1, max = 2, message = "must be a height and a width, or one number for both")
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
