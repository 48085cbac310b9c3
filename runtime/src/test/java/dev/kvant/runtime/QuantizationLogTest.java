package dev.kvant.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Artifact;
import dev.kvant.api.Dtype;
import dev.kvant.api.FinishedStep;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.SavedModel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import org.junit.jupiter.api.Test;
import org.slf4j.event.SubstituteLoggingEvent;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.helpers.SubstituteLogger;

class QuantizationLogTest {

  private final Queue<SubstituteLoggingEvent> events = new ArrayDeque<>();
  private final QuantizationLog log =
      new QuantizationLog(new SubstituteLogger("kvant", events, false));

  private String logged() {
    SubstituteLoggingEvent event = Objects.requireNonNull(events.poll());
    Object[] arguments = event.getArgumentArray();
    return event.getLevel()
        + " "
        + MessageFormatter.basicArrayFormat(
            event.getMessage(), arguments == null ? new Object[0] : arguments);
  }

  private static QuantizationPlan plan(FakeModel model) {
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder().backend("fake").layer("Linear", Dtype.INT8).build();
    try (Kvant kvant =
            Kvant.builder().withoutDiscovery().backend(FakeBackend.weightOnly("fake")).build();
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      return quantizer.prepare(model).plan();
    }
  }

  @Test
  void warnings_are_logged_as_such() {
    log.onWarning(
        new QuantizationWarning(
            QuantizationWarning.Kind.OTHER, "Braces {} stay.", null, List.of()));

    assertThat(logged()).isEqualTo("WARN Braces {} stay.");
  }

  @Test
  void the_duration_of_each_step_is_logged_for_those_who_look_closely() {
    log.onFinished(
        new FinishedStep(
            "save", "torchao", Duration.ofMillis(1250), FinishedStep.Outcome.CANCELLED));

    assertThat(logged()).isEqualTo("DEBUG Backend 'torchao': 'save' was interrupted after 1250 ms");
  }

  @Test
  void a_saved_model_is_logged_with_its_modules_bytes_and_files() {
    FakeModel model = new FakeModel().with("fc", "Linear").with("norm", "LayerNorm");
    List<ModuleDecision> decisions = plan(model).modules();
    log.onSaved(
        new SavedModel(
            List.of(new Artifact(Path.of("out.pth"), Artifact.Role.MODEL, "pth", 77, "The model.")),
            new QuantizationReport(
                "fake",
                QuantizationMode.WEIGHT_ONLY_PTQ,
                List.of(
                    ModuleReport.builder(decisions.get(0)).bytes(400, 104).build(),
                    ModuleReport.builder(decisions.get(1)).bytes(8, 8).build()),
                List.of())));

    assertThat(logged())
        .isEqualTo(
            "INFO Backend 'fake' quantized 1 of 2 modules from 408 to 112 bytes and wrote"
                + " [out.pth]");
  }
}
