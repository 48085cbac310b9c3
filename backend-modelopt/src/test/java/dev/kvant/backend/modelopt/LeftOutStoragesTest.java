package dev.kvant.backend.modelopt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Device;
import dev.kvant.api.NonFiniteValues;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.spi.Observation;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.runtime.TorchScriptRunner;
import dev.kvant.torch.tensor.DenseTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The copy of a model that observes gets its weights from memory. */
class LeftOutStoragesTest {

  private static final Path RESNET = TestModels.digits("resnet_traced.pt");

  @TempDir private Path folder;

  @Test
  void storages_of_weights_are_not_in_the_copy() throws IOException {
    Path copy = folder.resolve("copy.pt");
    try (ScriptModel model = TestModels.script(RESNET)) {
      LeftOutStorages.Claim claim = write(copy, model, "stem").claim();

      long weights = claim.contents().stream().mapToLong(DenseTensor::bytes).sum();
      assertThat(weights).isGreaterThan(300_000);
      try (TorchArchive archive = TorchArchive.open(copy)) {
        assertThat(claim.contents())
            .allSatisfy(
                content -> assertThat(archive.find("data/" + content.storage().id())).isEmpty());
      }
      assertThat(Files.size(copy)).isLessThan(Files.size(RESNET) - weights + 150_000);
    }
  }

  @Test
  void tensors_of_the_root_and_under_names_of_numbers_are_left_out_too() {
    try (ScriptModel model = TestModels.script(TestModels.model("places.pt"))) {
      LeftOutStorages.Claim claim = write(folder.resolve("copy.pt"), model, "turned").claim();

      assertThat(claim.contents())
          .extracting(DenseTensor::shape)
          .containsExactlyInAnyOrder(
              List.of(50L * 16), List.of(256L), List.of(256L), List.of(256L), List.of(4L * 256));
    }
  }

  static Stream<Arguments> models() {
    return Stream.of(
        Arguments.of(RESNET, "stem", Data.scans(64)),
        Arguments.of(TestModels.digits("resnet_scripted.pt"), "stem", Data.scans(64)),
        Arguments.of(TestModels.model("tied_traced.pt"), "head", Data.tokens()),
        Arguments.of(TestModels.model("mixed.pt"), "first", Data.tokens()),
        Arguments.of(TestModels.model("places.pt"), "turned", Data.tokens()));
  }

  @ParameterizedTest
  @MethodSource("models")
  void a_copy_that_was_given_its_weights_answers_as_the_model_does(
      Path file, String module, Iterable<TensorBatch> data) {
    Path copy = folder.resolve("copy.pt");
    LeftOutStorages.Claim claim;
    TorchScriptRunner copied;
    TensorBatch batch = data.iterator().next();
    Map<String, Tensor> expected;
    try (ScriptModel model = TestModels.script(file);
        TorchScriptRunner original = TorchScriptRunner.open(file, Device.CPU)) {
      claim = write(copy, model, module).claim();
      copied = TorchScriptRunner.openCopy(copy, model, Device.CPU);
      copied.give(claim.method(), claim.contents());
      expected = original.run(batch);
    }
    try (copied) {
      assertThat(claim.contents()).isNotEmpty();
      assertThat(copied.run(batch)).containsOnlyKeys(expected.keySet());
      copied
          .run(batch)
          .forEach(
              (name, answer) ->
                  assertThat(answer.toFloats())
                      .isEqualTo(Objects.requireNonNull(expected.get(name)).toFloats()));
    }
  }

  private static ObservedArchive.Questions write(Path copy, ScriptModel model, String module) {
    return ObservedArchive.write(
        copy,
        model,
        Map.of(module, Observation.DISTRIBUTION),
        NonFiniteValues.REFUSE,
        (bytes, tensor) -> {});
  }
}
