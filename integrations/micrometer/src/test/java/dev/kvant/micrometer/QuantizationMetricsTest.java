package dev.kvant.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.Artifact;
import dev.kvant.api.Dtype;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.SavedModel;
import dev.kvant.runtime.Kvant;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("The metrics of a model that was quantized by the torchao backend")
class QuantizationMetricsTest {

  private static final Path MODEL =
      Path.of("..", "..", "examples", "digits", "models", "resnet.pth");

  private final MeterRegistry registry = new SimpleMeterRegistry();

  @TempDir private Path folder;

  private SavedModel quantize() {
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder()
            .backend("torchao")
            .layer("Linear", Dtype.INT8)
            .layer("nothing.is.called.so", Dtype.INT8)
            .strict(false)
            .build();
    try (Kvant kvant = Kvant.builder().listener(new QuantizationMetrics(registry)).build();
        QuantizableModel model = kvant.load(MODEL);
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      return quantizer.saveModel(quantizer.quantizeModel(model), folder);
    }
  }

  private long count(String name, String... tags) {
    return (long) registry.get(name).tags(tags).counter().count();
  }

  @Test
  void time_each_step() {
    quantize();

    for (String step : List.of("prepare", "quantize", "save")) {
      var timer =
          registry
              .get("kvant.steps")
              .tags("backend", "torchao", "step", step, "outcome", "done")
              .timer();
      assertThat(timer.count()).isEqualTo(1);
      assertThat(timer.totalTime(TimeUnit.NANOSECONDS)).isPositive();
    }
  }

  @Test
  void time_a_step_that_fails_as_one() {
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder()
            .backend("torchao")
            .layer("nothing.is.called.so", Dtype.INT8)
            .build();
    try (Kvant kvant = Kvant.builder().listener(new QuantizationMetrics(registry)).build();
        QuantizableModel model = kvant.load(MODEL);
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      assertThatThrownBy(() -> quantizer.prepare(model))
          .isInstanceOf(InvalidConfigurationException.class);
    }

    assertThat(registry.get("kvant.steps").tag("outcome", "failed").timer().count()).isEqualTo(1);
  }

  @Test
  void count_modules_and_their_bytes() {
    QuantizationReport report = quantize().report();

    long quantized =
        report.modules().stream().filter(module -> module.decision().isQuantized()).count();
    assertThat(count("kvant.modules", "result", "quantized")).isPositive().isEqualTo(quantized);
    assertThat(count("kvant.modules", "result", "native"))
        .isPositive()
        .isEqualTo(report.modules().size() - quantized);
    assertThat(count("kvant.weights", "backend", "torchao", "state", "before"))
        .isPositive()
        .isEqualTo(report.modules().stream().mapToLong(ModuleReport::bytesBefore).sum());
    assertThat(count("kvant.weights", "backend", "torchao", "state", "after"))
        .isPositive()
        .isEqualTo(report.modules().stream().mapToLong(ModuleReport::bytesAfter).sum());
  }

  @Test
  void sum_up_the_files_that_were_written() {
    Artifact artifact = quantize().artifacts().get(0);

    var summary = registry.get("kvant.artifacts").tag("format", artifact.format()).summary();
    assertThat(summary.getId().getBaseUnit()).isEqualTo("bytes");
    assertThat((long) summary.totalAmount()).isEqualTo(artifact.bytes());
  }

  @Test
  void count_artifacts_by_the_result_of_their_verification() {
    quantize();

    assertThat(count("kvant.verifications", "backend", "torchao", "status", "verified"))
        .isEqualTo(1);
  }

  @Test
  void count_warnings_by_their_kind() {
    quantize();

    assertThat(count("kvant.warnings", "kind", "no_match")).isEqualTo(1);
  }

  @Test
  void do_not_grow_with_the_models() {
    quantize();
    List<Meter.Id> once = registry.getMeters().stream().map(Meter::getId).toList();
    quantize();

    assertThat(registry.getMeters())
        .extracting(Meter::getId)
        .containsExactlyInAnyOrderElementsOf(once);
  }
}
