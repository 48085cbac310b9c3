package dev.kvant.backend.torchao;

import static dev.kvant.backend.torchao.TestModels.bytes;
import static dev.kvant.backend.torchao.TestModels.tensor;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Dtype;
import dev.kvant.api.SavedModel;
import dev.kvant.torch.TorchModel;
import dev.kvant.torch.archive.ArchiveRecord;
import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.tensor.DenseTensor;
import dev.kvant.torch.tensor.QuantizedTensor;
import dev.kvant.torch.tensor.StoredTensor;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "tied,int8",
    "tied,fp8_e4m3fn",
    "tied,fp8_e5m2",
    "mixed,int8",
    "mixed,fp8_e4m3fn",
    "mixed,fp8_e5m2"
  })
  void it_holds_what_torchao_saves_entry_by_entry_and_bit_by_bit(String model, String dtype) {
    Quantization.of(TestModels.model(model + ".pth")).all(Dtype.of(dtype)).into(folder);

    assertThat(PickleDescription.of(checkpoint()))
        .isEqualTo(
            PickleDescription.of(
                TestModels.model("torchao").resolve("%s_%s.pth".formatted(model, dtype))));
  }

  @Test
  void with_dynamic_ptq_it_holds_what_torchao_saves_as_well() {
    Quantization.of(TestModels.model("mixed.pth")).all(Dtype.INT8).dynamic().into(folder);

    assertThat(PickleDescription.of(checkpoint()))
        .isEqualTo(
            PickleDescription.of(TestModels.model("torchao").resolve("mixed_int8_dynamic.pth")));
  }

  @Test
  void its_records_are_named_and_ordered_as_torch_saves_them() {
    Quantization.of(TestModels.model("tied.pth")).all(Dtype.INT8).into(folder);

    try (TorchArchive archive = TorchArchive.open(checkpoint())) {
      assertThat(archive.records())
          .extracting(ArchiveRecord::name)
          .startsWith(
              "data.pkl", ".format_version", ".storage_alignment", "byteorder", "data/0", "data/1")
          .endsWith("data/12", "version", ".data/serialization_id", "extra/kvant.json");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"mixed.pt", "mixed_traced.pt", "mixed.pth", "mixed.safetensors"})
  void every_entry_of_the_source_is_there_in_its_order(String model) {
    Quantization.of(TestModels.model(model)).all(Dtype.INT8).into(folder);

    try (TorchModel source = TestModels.open(TestModels.model(model));
        TorchModel artifact = TestModels.open(checkpoint())) {
      assertThat(artifact.tensors().keySet()).containsExactlyElementsOf(source.tensors().keySet());
      source
          .tensors()
          .forEach(
              (name, original) -> {
                StoredTensor saved = tensor(artifact, name);
                assertThat(saved.elementType()).isEqualTo(original.elementType());
                assertThat(saved.shape()).isEqualTo(original.shape());
                if (saved instanceof DenseTensor) {
                  assertThat(bytes(saved)).as(name).isEqualTo(bytes(original));
                }
              });
      assertThat(tensor(artifact, "stack.0.weight")).isInstanceOf(QuantizedTensor.class);
      assertThat(tensor(artifact, "attention.out_proj.weight")).isInstanceOf(DenseTensor.class);
      assertThat(tensor(artifact, "conv.weight")).isInstanceOf(DenseTensor.class);
    }
  }

  @Test
  void views_of_one_storage_stay_views_of_one_storage() {
    Quantization.of(TestModels.model("strange.pth")).all(Dtype.NATIVE).into(folder);

    try (TorchModel source = TestModels.open(TestModels.model("strange.pth"));
        TorchModel artifact = TestModels.open(checkpoint())) {
      source
          .tensors()
          .forEach(
              (name, original) ->
                  assertThat(bytes(tensor(artifact, name))).as(name).isEqualTo(bytes(original)));
      assertThat(storage(artifact, "view_rows")).isEqualTo(storage(artifact, "view_all"));
      assertThat(storage(artifact, "slice_a")).isEqualTo(storage(artifact, "slice_b"));
      assertThat(tensor(artifact, "alias").identity())
          .isEqualTo(tensor(artifact, "view_all").identity());
      assertThat(((DenseTensor) tensor(artifact, "transposed")).isContiguous()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tied.pt", "tied_traced.pt", "tied.pth"})
  void tied_weights_of_one_dtype_stay_tied(String model) {
    Quantization.of(TestModels.model(model)).all(Dtype.INT8).into(folder);

    try (TorchModel artifact = TestModels.open(checkpoint())) {
      assertThat(tensor(artifact, "head.weight").identity())
          .isEqualTo(tensor(artifact, "embedding.weight").identity());
    }
  }

  @Test
  void tied_weights_of_different_dtypes_come_apart() {
    Quantization.of(TestModels.model("tied.pt")).module("head", Dtype.INT8).into(folder);

    try (TorchModel source = TestModels.open(TestModels.model("tied.pt"));
        TorchModel artifact = TestModels.open(checkpoint())) {
      assertThat(tensor(artifact, "head.weight")).isInstanceOf(QuantizedTensor.class);
      assertThat(bytes(tensor(artifact, "embedding.weight")))
          .isEqualTo(bytes(tensor(source, "embedding.weight")));
    }
  }

  @Test
  void the_state_dict_of_a_nested_checkpoint_comes_out_flat() {
    Quantization.of(TestModels.model("checkpoint_lightning.pth")).all(Dtype.INT8).into(folder);

    try (TorchModel artifact = TestModels.open(checkpoint())) {
      assertThat(artifact.tensors().keySet()).contains("net.head.weight", "net.conv.weight");
      assertThat(tensor(artifact, "net.head.weight")).isInstanceOf(QuantizedTensor.class);
    }
  }

  @Test
  void entries_that_are_no_plain_tensors_are_left_out_and_reported() {
    SavedModel saved =
        Quantization.of(TestModels.model("opaque.pth")).module("layer", Dtype.INT8).into(folder);

    try (TorchModel artifact = TestModels.open(checkpoint())) {
      assertThat(artifact.tensors()).containsOnlyKeys("layer.weight", "layer.bias", "last.weight");
    }
    assertThat(saved.report().warnings())
        .singleElement()
        .satisfies(
            warning ->
                assertThat(warning.message()).contains("no plain tensors", "sparse", "settings"));
  }

  @Test
  void the_record_of_what_it_holds_lies_in_it() {
    SavedModel saved = Quantization.of(TestModels.model("mixed.pt")).all(Dtype.INT8).into(folder);

    try (TorchModel artifact = TestModels.open(checkpoint())) {
      assertThat(artifact.record())
          .hasValueSatisfying(
              record -> assertThat(record).isEqualTo(Quantization.record(saved.report())));
    }
  }

  @Test
  void an_artifact_can_be_quantized_again() {
    Path first = folder.resolve("first");
    Quantization.of(TestModels.model("tied.pth")).all(Dtype.FP8_E4M3FN).into(first);

    Quantization.of(first.resolve("quantized_model_torchao.pth"))
        .module("head", Dtype.INT8)
        .module("embedding", Dtype.INT8)
        .into(folder);

    try (TorchModel artifact = TestModels.open(checkpoint())) {
      assertThat(tensor(artifact, "head.weight")).isInstanceOf(QuantizedTensor.class);
      assertThat(tensor(artifact, "up.linear.weight")).isInstanceOf(DenseTensor.class);
    }
  }

  private Path checkpoint() {
    Path file = folder.resolve("quantized_model_torchao.pth");
    assertThat(Files.exists(file)).isTrue();
    return file;
  }

  private static String storage(TorchModel model, String name) {
    return ((DenseTensor) tensor(model, name)).storage().id();
  }
}
