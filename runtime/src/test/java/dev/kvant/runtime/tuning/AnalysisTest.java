package dev.kvant.runtime.tuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.api.Dtype;
import dev.kvant.api.KvantException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.Progress;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.FakeModel;
import dev.kvant.runtime.data.InputBatch;
import dev.kvant.spi.ProgressReporter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("An analysis of sensitivity")
class AnalysisTest {

  @TempDir private Path folder;

  private final FakeModel model =
      new FakeModel().with("a", "Linear").with("b", "Linear").with("c", "Linear");

  /** The outputs of the source are (3, 4, 0): their power is 25. */
  private static final InputBatch BATCH =
      new InputBatch(
          new TensorBatch(Map.of("input", Tensor.ofFloats(new float[] {3, 4, 0}, 1, 3))),
          null,
          1,
          1);

  private FakeTrials quantizer(List<List<String>> groups) {
    return new FakeTrials(
        ModelQuantizationConfig.builder()
            .backend("fake")
            .mode(QuantizationMode.WEIGHT_ONLY_PTQ)
            .layer("Linear", Dtype.INT8)
            .strict(false)
            .build(),
        List.of(0.5f, 2f, 1f),
        groups);
  }

  private Analysis analysis(FakeTrials fake, FinishedGroups finished) {
    return analysis(fake, finished, QuantizationListener.NONE);
  }

  private Analysis analysis(
      FakeTrials fake, FinishedGroups finished, QuantizationListener listener) {
    Trials trials =
        Trials.of(
            fake,
            model,
            fake.open(Path.of("fake.model"), "fake"),
            List.of(BATCH),
            null,
            new ProgressReporter(QuantizationListener.NONE, "run", 1, "samples"));
    return new Analysis(fake, fake.prepare(model), trials, finished, listener);
  }

  @Test
  void ranks_groups_by_the_noise_that_each_adds_alone() {
    SensitivityReport report =
        analysis(quantizer(List.of()), FinishedGroups.nowhere()).run(group -> {});

    assertThat(report.isComplete()).isTrue();
    assertThat(report.samples()).isEqualTo(1);
    assertThat(report.groups())
        .extracting(GroupSensitivity::modules)
        .containsExactly(List.of("b"), List.of("c"), List.of("a"));
    // 4 of 25, 1 of 25 and a quarter of 25.
    assertThat(report.groups().get(0).noise()).isCloseTo(4 / 25.0, within(1e-9));
    assertThat(report.groups().get(1).noise()).isCloseTo(1 / 25.0, within(1e-9));
    assertThat(report.groups().get(2).noise()).isCloseTo(0.25 / 25.0, within(1e-9));
    assertThat(report.groups().get(0).alone().sqnrDecibels())
        .isCloseTo(10 * Math.log10(25 / 4.0), within(1e-9));
    // (3, 4, 0) beside (3, 6, 0).
    assertThat(report.groups().get(0).alone().cosineMean())
        .isCloseTo((9 + 24) / (5 * Math.sqrt(45)), within(1e-9));
  }

  @Test
  void compares_the_artifact_without_a_group_too() {
    SensitivityReport report =
        analysis(quantizer(List.of()), FinishedGroups.nowhere()).run(group -> {});

    assertThat(Objects.requireNonNull(report.all()).sqnrDecibels())
        .isCloseTo(10 * Math.log10(25 / 5.25), within(1e-9));
    GroupSensitivity most = report.groups().get(0);
    assertThat(most.others().sqnrDecibels()).isCloseTo(10 * Math.log10(25 / 1.25), within(1e-9));
    assertThat(most.relief(report.all())).isCloseTo(4 / 25.0, within(1e-9));
    assertThat(most.bytesBefore()).isEqualTo(400);
    assertThat(most.bytesAfter()).isEqualTo(100);
  }

  @Test
  void keeps_together_what_reads_one_tensor() {
    FakeTrials fake = quantizer(List.of(List.of("a", "c")));
    SensitivityReport report = analysis(fake, FinishedGroups.nowhere()).run(group -> {});

    assertThat(report.groups())
        .extracting(GroupSensitivity::modules)
        .containsExactly(List.of("b"), List.of("a", "c"));
    assertThat(report.groups().get(1).bytesBefore()).isEqualTo(800);
    assertThat(fake.saved()).containsExactly("[0, 1, 2]", "[0, 2]", "[1]", "[1]", "[0, 2]");
  }

  @Test
  void goes_on_where_an_interrupt_ended_it() {
    Path file = folder.resolve("groups.jsonl");
    List<GroupSensitivity> told = new ArrayList<>();
    QuantizationListener interrupting =
        new QuantizationListener() {
          @Override
          public void onProgress(Progress progress) {
            if (progress.done() == 3) {
              Thread.currentThread().interrupt();
            }
          }
        };
    SensitivityReport first =
        analysis(quantizer(List.of()), FinishedGroups.in(file, "same"), interrupting)
            .run(told::add);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(first.isComplete()).isFalse();
    assertThat(first.total()).isEqualTo(3);
    assertThat(told).extracting(GroupSensitivity::modules).containsExactly(List.of("a"));

    FakeTrials fake = quantizer(List.of());
    SensitivityReport second = analysis(fake, FinishedGroups.in(file, "same")).run(told::add);
    assertThat(second.isComplete()).isTrue();
    assertThat(fake.saved()).as("all, for the sizes, then b and c").hasSize(5);
    assertThat(second.groups())
        .isEqualTo(
            analysis(quantizer(List.of()), FinishedGroups.nowhere()).run(group -> {}).groups());
  }

  @Test
  void ignores_a_line_that_was_cut_short() throws Exception {
    Path file = folder.resolve("groups.jsonl");
    analysis(quantizer(List.of()), FinishedGroups.in(file, "same")).run(group -> {});
    String whole = Files.readString(file);
    Files.writeString(file, whole.substring(0, whole.length() - 9));

    FakeTrials fake = quantizer(List.of());
    assertThat(analysis(fake, FinishedGroups.in(file, "same")).run(group -> {}).isComplete())
        .isTrue();
    assertThat(fake.saved()).containsExactly("[0, 1, 2]", "[0, 1]");
    assertThat(Files.readString(file)).isEqualTo(whole);
  }

  @Test
  void begins_again_where_the_first_line_was_cut_short() throws Exception {
    Path file = folder.resolve("groups.jsonl");
    FinishedGroups.in(file, "same");
    String whole = Files.readString(file);
    Files.writeString(file, whole.substring(0, whole.length() - 5));

    FinishedGroups.in(file, "same");

    assertThat(Files.readString(file)).isEqualTo(whole);
  }

  @Test
  void never_replaces_a_file_that_the_first_line_happens_to_begin_with() throws Exception {
    Path file = Files.writeString(folder.resolve("groups.jsonl"), "{");

    assertThatThrownBy(() -> FinishedGroups.in(file, "same"))
        .isInstanceOf(KvantException.class)
        .hasMessage(
            "%s does not hold finished groups of an analysis; name another file".formatted(file));
    assertThat(file).hasContent("{");
  }

  @Test
  void refuses_finished_groups_of_another_analysis() throws Exception {
    Path file = folder.resolve("groups.jsonl");
    FinishedGroups.in(file, "one");
    assertThatThrownBy(() -> FinishedGroups.in(file, "other"))
        .isInstanceOf(KvantException.class)
        .hasMessage(
            "%s belongs to the analysis of another model, spec or data; remove it, or name another file"
                .formatted(file));
    Files.writeString(file, "something else\n");
    assertThatThrownBy(() -> FinishedGroups.in(file, "one"))
        .isInstanceOf(KvantException.class)
        .hasMessage(
            "%s does not hold finished groups of an analysis; name another file".formatted(file));
  }

  @Test
  void refuses_a_plan_that_quantizes_nothing() {
    FakeModel norm = new FakeModel().with("norm", "LayerNorm");
    FakeTrials fake = quantizer(List.of());
    Trials trials =
        Trials.of(
            fake,
            norm,
            fake.open(Path.of("fake.model"), "fake"),
            List.of(BATCH),
            null,
            new ProgressReporter(QuantizationListener.NONE, "run", 1, "samples"));
    assertThatThrownBy(
            () ->
                new Analysis(
                    fake,
                    fake.prepare(norm),
                    trials,
                    FinishedGroups.nowhere(),
                    QuantizationListener.NONE))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessage(
            "nothing of fake.model is quantized as configured, so there is nothing to analyze");
  }
}
