package dev.kvant.torch.script;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What convolutions do, as the text says it. */
class ConvolutionTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "torch.conv2d | x; w; b; [2, 1]; [3, 0]; [1, 2]; 4 | [2, 1] | [3, 0] | [1, 2] | 4",
        "torch.conv2d | x; w; b; [2, 1]; [3, 0]; [1, 2] | [2, 1] | [3, 0] | [1, 2] | 1",
        "torch.conv1d | x; w | [1] | [0] | [1] | 1",
        "torch.conv3d | x; w; None | [1, 1, 1] | [0, 0, 0] | [1, 1, 1] | 1",
        "torch.conv2d | x; w; b; [1, 1]; \"same\"; [1, 2]; 2 | [1, 1] | [] | [1, 2] | 2",
        "torch._convolution_mode | x; w; b; [2]; \"valid\"; [1]; 1 | [2] | [0] | [1] | 1",
        "torch._convolution | x; w; None; [2]; [1]; [3]; False; [0]; 5; False; False; True; True |"
            + " [2] | [1] | [3] | 5"
      })
  void is_read_from_a_call(
      String function,
      String arguments,
      String stride,
      String padding,
      String dilation,
      long groups) {
    assertThat(parse(function, arguments))
        .hasValueSatisfying(
            convolution -> {
              assertThat(convolution.stride()).hasToString(stride);
              assertThat(convolution.padding()).hasToString(padding);
              assertThat(convolution.dilation()).hasToString(dilation);
              assertThat(convolution.groups()).isEqualTo(groups);
            });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "torch.linear: x; w; b",
        "torch.conv2d: x; w; b; stride; [3, 0]; [1, 2]; 4",
        "torch.conv2d: x; w; b; [1, 1]; [1]; [1, 1]",
        "torch.conv2d: x; w; b; [1]; [1]; [1]",
        "torch.conv2d: x; w; b; [1, 1]; \"reflect\"; [1, 1]",
        "torch.conv2d: x; w; b; [-1, 1]; [0, 0]; [1, 1]",
        "torch.conv2d: x; w; b; [1, 1]; [0, 0]; [1, 1]; n",
        "torch.conv2d: x; w; b; [1, 1]; [0, 0]; [1, 1]; 1; 1",
        "torch._convolution: x; w; b; [2]; [1]; [3]; True; [0]; 5; False; False; True; True",
        "torch._convolution: x; w; b; [2]; [1]; [3]",
        "torch._convolution_mode: x; w; b; [2]"
      })
  void is_not_read_from_anything_else(String call) {
    String[] parts = call.split(": ", 2);

    assertThat(parse(parts[0], parts[1])).isEmpty();
  }

  @Test
  void the_same_size_needs_zeros_by_the_reach_of_the_kernel() {
    var same = new Convolution(List.of(1L, 1L), List.of(), List.of(1L, 2L), 1);

    assertThat(same.zeros(List.of(8L, 4L, 5L, 2L))).contains(List.of(2L, 1L));
    assertThat(same.zeros(List.of(8L, 4L, 4L, 2L))).isEmpty();
    assertThat(new Convolution(List.of(1L), List.of(3L), List.of(1L), 1).zeros(List.of(8L, 4L, 4L)))
        .contains(List.of(3L));
  }

  @Test
  void dimensions_that_differ_are_refused() {
    assertThatThrownBy(() -> new Convolution(List.of(1L), List.of(1L, 1L), List.of(1L), 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("different sizes");
  }

  private static Optional<Convolution> parse(String function, String arguments) {
    return Convolution.parse(function, Arrays.asList(arguments.split("; ", -1)));
  }
}
