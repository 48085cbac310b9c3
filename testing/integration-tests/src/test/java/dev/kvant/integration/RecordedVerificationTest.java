package dev.kvant.integration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Artifact;
import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.Requirement;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Verification;
import dev.kvant.api.Verification.Status;
import dev.kvant.api.VerificationConfig;
import dev.kvant.api.VerificationException;
import dev.kvant.runtime.Kvant;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("An artifact tells what came of its verification, and what it requires")
class RecordedVerificationTest {

  private static final Path MODELS = Path.of("..", "..", "examples", "digits", "models");

  private static final Path CALIBRATION = MODELS.resolveSibling("data/calibration.npz");

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "torchao, weight_only_ptq, resnet_traced.pt, 2",
    "torchao, weight_only_ptq, transformer.pth, 1",
    "modelopt, static_ptq, resnet_scripted.pt, 2",
    "onnx, weight_only_ptq, transformer.onnx, 1",
    "onnx, static_ptq, resnet.onnx, 1"
  })
  void in_every_format(String backend, String mode, String model, int artifacts)
      throws IOException {
    try (Kvant kvant = Kvant.create()) {
      SavedModel saved = quantized(kvant, config(backend, mode).build(), model);

      assertThat(saved.verifications()).hasSize(artifacts);
      List<Requirement> requirements = new ArrayList<>();
      for (Verification verification : saved.verifications()) {
        try (QuantizableModel artifact = kvant.load(verification.artifact())) {
          Verification recorded = kvant.verification(artifact).orElseThrow();
          assertThat(recorded.artifact()).isEqualTo(verification.artifact());
          assertThat(recorded.status()).isEqualTo(Status.VERIFIED);
          assertThat(recorded.samples()).isEqualTo(verification.samples());
          assertThat(recorded.synthetic()).isEqualTo(verification.synthetic());
          assertThat(recorded.tensors()).isEqualTo(verification.tensors());
          assertLowest(recorded.sqnrByOutput(), verification.sqnrByOutput());
          assertLowest(recorded.sqnrByTensor(), verification.sqnrByTensor());
          requirements.addAll(kvant.report(artifact).orElseThrow().requirements());
        }
        if (!backend.equals("onnx")) {
          assertSound(verification.artifact());
        }
      }
      assertThat(requirements)
          .isNotEmpty()
          .containsExactlyInAnyOrderElementsOf(saved.report().requirements());
    }
  }

  private static void assertLowest(Map<String, Double> recorded, Map<String, Double> all) {
    if (all.isEmpty()) {
      assertThat(recorded).isEmpty();
      return;
    }
    double lowest = Collections.min(all.values());
    assertThat(recorded).hasSize(1);
    recorded.forEach(
        (name, ratio) -> {
          assertThat(all.get(name)).isEqualTo(lowest);
          assertThat(ratio).isEqualTo(Math.rint(lowest * 10) / 10);
        });
  }

  /** All records of the archive have the checksums that the archive states. */
  private static void assertSound(Path archive) throws IOException {
    try (ZipFile zip = new ZipFile(archive.toFile())) {
      Enumeration<? extends ZipEntry> entries = zip.entries();
      while (entries.hasMoreElements()) {
        ZipEntry entry = entries.nextElement();
        try (InputStream content = zip.getInputStream(entry)) {
          var crc = new CRC32();
          crc.update(content.readAllBytes());
          assertThat(crc.getValue()).as(entry.getName()).isEqualTo(entry.getCrc());
        }
      }
    }
  }

  @Test
  void where_it_was_not_verified_too() {
    try (Kvant kvant = Kvant.create()) {
      SavedModel saved =
          quantized(
              kvant,
              config("onnx", "weight_only_ptq").verify(VerificationConfig.OFF).build(),
              "resnet.onnx");

      try (QuantizableModel artifact = kvant.load(saved.artifacts().get(0).path())) {
        assertThat(kvant.verification(artifact))
            .contains(
                Verification.notVerified(saved.artifacts().get(0).path(), "verification is off"));
      }
    }
  }

  @Test
  void where_it_was_rejected_too() {
    try (Kvant kvant = Kvant.create()) {
      Path rejected;
      try {
        quantized(
            kvant,
            config("onnx", "weight_only_ptq")
                .verify(new VerificationConfig(true, VerificationConfig.DEFAULT_SAMPLES, 300.0))
                .build(),
            "resnet.onnx");
        throw new AssertionError("300 dB were reached");
      } catch (VerificationException e) {
        rejected = e.saved().artifacts().get(0).path();
      }

      assertThat(rejected).hasFileName("quantized_model.onnx.rejected");
      try (QuantizableModel artifact = kvant.load(rejected)) {
        Verification recorded = kvant.verification(artifact).orElseThrow();
        assertThat(recorded.isRejected()).isTrue();
        assertThat(recorded.reason()).contains("300");
      }
    }
  }

  @Test
  void models_that_kvant_did_not_write_tell_nothing() {
    try (Kvant kvant = Kvant.create();
        QuantizableModel model = kvant.load(MODELS.resolve("resnet.onnx"))) {
      assertThat(kvant.verification(model)).isEmpty();
    }
  }

  private ModelQuantizationConfig.Builder config(String backend, String mode) {
    ModelQuantizationConfig.Builder config =
        ModelQuantizationConfig.builder()
            .backend(backend)
            .mode(QuantizationMode.of(mode))
            .resultsDir(folder);
    return mode.equals("static_ptq")
        ? config
            .layer("Linear", Dtype.INT8, Dtype.INT8)
            .calibration(CalibrationConfig.builder(CALIBRATION).batchSize(32).maxBatches(2).build())
        : config.layer("Linear", Dtype.INT8);
  }

  private static SavedModel quantized(Kvant kvant, ModelQuantizationConfig config, String model) {
    try (QuantizableModel source = kvant.load(MODELS.resolve(model));
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      PreparedModel prepared = quantizer.prepare(source);
      if (config.calibration() != null) {
        quantizer.calibrate(
            prepared, kvant.calibrationData(Objects.requireNonNull(config.calibration()), source));
      }
      quantizer.quantize(prepared);
      SavedModel saved = quantizer.saveModel();
      assertThat(saved.artifacts()).extracting(Artifact::path).allMatch(Files::isRegularFile);
      return saved;
    }
  }
}
