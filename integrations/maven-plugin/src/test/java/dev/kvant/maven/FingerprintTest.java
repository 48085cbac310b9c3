package dev.kvant.maven;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("A fingerprint")
class FingerprintTest {

  @TempDir private Path folder;

  private String ofFolder() {
    return new Fingerprint().withContent("data", folder).value();
  }

  @Test
  void is_that_of_the_content_and_not_of_the_time() throws IOException {
    Path file = Files.writeString(folder.resolve("a.txt"), "one");
    String first = ofFolder();

    Files.writeString(file, "one");
    assertThat(ofFolder()).isEqualTo(first);

    Files.writeString(file, "two");
    assertThat(ofFolder()).isNotEqualTo(first);
  }

  @Test
  void differs_where_files_are_added_renamed_or_missing() throws IOException {
    String empty = ofFolder();
    Path file = Files.writeString(folder.resolve("a.txt"), "");
    String one = ofFolder();
    Path renamed = Files.move(file, folder.resolve("b.txt"));
    String other = ofFolder();
    Files.delete(renamed);
    Files.delete(folder);

    assertThat(List.of(empty, one, other, ofFolder())).doesNotHaveDuplicates();
  }

  @Test
  void keeps_values_apart() {
    assertThat(new Fingerprint().with("a", "bc").value())
        .isNotEqualTo(new Fingerprint().with("ab", "c").value());
  }

  @Test
  void of_a_run_fits_until_an_output_is_touched() throws IOException {
    Path output = Files.writeString(folder.resolve("model.onnx"), "weights");
    new LastRun("inputs", List.of(output)).write(folder);

    assertThat(LastRun.matching("inputs", folder))
        .isEqualTo(new LastRun("inputs", List.of(output)));
    assertThat(LastRun.matching("others", folder)).isNull();

    Files.writeString(output, "other weights");
    assertThat(LastRun.matching("inputs", folder)).isNull();
  }
}
