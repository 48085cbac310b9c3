package dev.kvant.tck;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("A sample that is not there")
@DisplayNameGeneration(ReplaceUnderscores.class)
class SampleModelTest {

  @TempDir Path folder;

  @Test
  void is_named_with_the_place_where_it_was_looked_for() {
    SampleModel sample = new SampleModel("classifier", Path.of("no/model.toy"), new ToyFormat());
    String message =
        "the sample 'classifier' is not there: samples() names "
            + Path.of("no/model.toy").toAbsolutePath();

    assertThatThrownBy(sample::open).isInstanceOf(AssertionError.class).hasMessage(message);
    assertThatThrownBy(() -> sample.openCopyIn(folder))
        .isInstanceOf(AssertionError.class)
        .hasMessage(message);
  }
}
