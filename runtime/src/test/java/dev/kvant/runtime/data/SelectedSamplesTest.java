package dev.kvant.runtime.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Tensor;
import dev.kvant.spi.SampleBlock;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Selected samples")
class SelectedSamplesTest {

  private static SampleBlock block(float... values) {
    return SampleBlock.of(Map.of("x", Tensor.ofFloats(values, values.length, 1)));
  }

  private static List<Float> all(SelectedSamples samples, int most) throws IOException {
    List<Float> values = new ArrayList<>();
    for (Optional<SampleBlock> next = samples.next(most);
        next.isPresent();
        next = samples.next(most)) {
      for (float value : Objects.requireNonNull(next.get().tensors().get("x")).toFloats()) {
        values.add(value);
      }
    }
    return values;
  }

  @Test
  void keep_the_order_across_blocks_and_skip_blocks_without_any() throws IOException {
    ListReader reader = new ListReader(block(0, 1, 2), block(3), block(4, 5));
    SelectedSamples samples = new SelectedSamples(reader, 100, sample -> sample % 2 == 0);
    assertThat(all(samples, 3)).containsExactly(0f, 2f, 4f);
  }

  @Test
  void end_after_the_first_ones() throws IOException {
    ListReader reader = new ListReader(block(0, 1, 2), block(3), block(4, 5));
    SelectedSamples samples = new SelectedSamples(reader, 4, sample -> true);
    assertThat(all(samples, 3)).containsExactly(0f, 1f, 2f, 3f);
  }
}
