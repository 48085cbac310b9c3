package dev.kvant.backend.torchao;

import static dev.kvant.backend.torchao.TestModels.bytes;
import static dev.kvant.backend.torchao.TestModels.tensor;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.Requirement;
import dev.kvant.api.SavedModel;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.TorchModel;
import dev.kvant.torch.archive.ArchiveRecord;
import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.tensor.QuantizedTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RunnableArchiveTest {

  @TempDir Path folder;

  @Test
  void is_written_for_torchscript_alone() {
    SavedModel saved = Quantization.of(TestModels.model("tied.pth")).all(Dtype.INT8).into(folder);

    assertThat(saved.artifacts()).hasSize(1);
    assertThat(folder.resolve(TorchaoBackend.RUNNABLE)).doesNotExist();
  }

  @Test
  void keeps_every_record_but_those_that_changed_or_went_stale() {
    quantizeAll("mixed.pt", Dtype.INT8);

    try (TorchArchive before = TorchArchive.open(TestModels.model("mixed.pt"));
        TorchArchive after = TorchArchive.open(runnable())) {
      List<String> names = after.records().stream().map(ArchiveRecord::name).toList();
      assertThat(names)
          .noneMatch(name -> name.endsWith(".debug_pkl"))
          .doesNotContain(".data/serialization_id")
          .contains("constants.pkl", "byteorder", "extra/kvant.json");
      assertThat(names)
          .containsAll(
              before.records().stream()
                  .map(ArchiveRecord::name)
                  .filter(name -> name.endsWith(".py"))
                  .toList());
      for (String name :
          List.of("constants.pkl", "code/__torch__/torch/nn/modules/normalization.py")) {
        assertThat(Archives.text(after.record(name)))
            .as(name)
            .isEqualTo(Archives.text(before.record(name)));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"int8,int8", "fp8_e4m3fn,float8_e4m3fn", "fp8_e5m2,float8_e5m2"})
  void weights_are_codes_beside_a_buffer_of_scales(String dtype, ElementType codes) {
    quantizeAll("mixed.pt", Dtype.of(dtype));

    try (TorchModel artifact = TestModels.open(runnable())) {
      assertTensor(artifact, "stack.0.weight", codes, 32, 16);
      assertTensor(artifact, "stack.0.weight_scale", ElementType.FLOAT32, 32, 1);
      assertTensor(artifact, "stack.0.bias", ElementType.FLOAT32, 32);
      assertTensor(artifact, "embedding.weight", codes, 50, 16);
      assertTensor(artifact, "embedding.weight_scale", ElementType.FLOAT32, 50, 1);
      assertTensor(artifact, "attention.out_proj.weight", codes, 16, 16);
      assertTensor(artifact, "conv.weight", codes, 4, 1, 3, 3);
      assertTensor(artifact, "conv.weight_scale", ElementType.FLOAT32, 4, 1, 1, 1);
      assertTensor(artifact, "back.weight", codes, 4, 1, 3, 3);
      assertTensor(artifact, "back.weight_scale", ElementType.FLOAT32, 1, 1, 1, 1);
      assertTensor(artifact, "attention.in_proj_weight", ElementType.FLOAT32, 48, 16);
      assertThat(artifact.tensors()).doesNotContainKey("norm.weight_scale");
    }
  }

  private static void assertTensor(
      TorchModel model, String name, ElementType type, Integer... shape) {
    assertThat(tensor(model, name).elementType()).as(name).isEqualTo(type);
    assertThat(tensor(model, name).shape().stream().map(Long::intValue))
        .as(name)
        .containsExactly(shape);
  }

  @Test
  void codes_are_those_of_the_checkpoint() {
    quantizeAll("tied.pt", Dtype.INT8);

    try (TorchModel checkpoint = TestModels.open(folder.resolve(TorchaoBackend.CHECKPOINT));
        TorchModel runnable = TestModels.open(runnable())) {
      var weight = (QuantizedTensor) tensor(checkpoint, "up.linear.weight");
      assertThat(bytes(tensor(runnable, "up.linear.weight"))).isEqualTo(bytes(weight.codes()));
      assertThat(bytes(tensor(runnable, "up.linear.weight_scale")))
          .isEqualTo(bytes(weight.scales()));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tied.pt", "tied_traced.pt"})
  void tied_weights_stay_tied(String model) {
    quantizeAll(model, Dtype.INT8);

    try (TorchModel artifact = TestModels.open(runnable())) {
      for (String name : List.of("weight", "weight_scale")) {
        assertThat(tensor(artifact, "head." + name).identity())
            .isEqualTo(tensor(artifact, "embedding." + name).identity());
      }
    }
  }

  @Test
  void a_weight_that_is_used_by_way_of_another_module_is_noted() {
    SavedModel saved =
        Quantization.of(TestModels.model("tied_traced.pt")).all(Dtype.INT8).into(folder);

    assertThat(report(saved, "head").note())
        .isEqualTo("no code of the model reads this weight by way of its module");
    assertThat(report(saved, "embedding").note()).isNull();
  }

  @Test
  void instances_of_one_class_may_differ() {
    Quantization.of(TestModels.model("mixed.pt")).module("low.linear", Dtype.INT8).into(folder);

    try (TorchModel source = TestModels.open(TestModels.model("mixed.pt"));
        TorchModel artifact = TestModels.open(runnable())) {
      assertTensor(artifact, "low.linear.weight", ElementType.INT8, 16, 16);
      assertThat(bytes(tensor(artifact, "brain.linear.weight")))
          .isEqualTo(bytes(tensor(source, "brain.linear.weight")));
      assertThat(artifact.tensors()).doesNotContainKey("brain.linear.weight_scale");
    }
    assertThat(code("code/__torch__/torch/nn/modules/linear/___torch_mangle_10.py"))
        .contains("  weight_scale : Optional[Tensor]\n")
        .contains("output = torch.linear(input, self.weight, bias)");
  }

  @Test
  void tensors_that_nothing_refers_to_any_more_are_dropped() {
    quantizeAll("tied.pt", Dtype.INT8);

    try (TorchArchive archive = TorchArchive.open(runnable())) {
      assertThat(archive.records().stream().filter(record -> record.name().startsWith("data/")))
          // Three weights with scales, two biases, and the norm's two tensors.
          .hasSize(10);
    }
  }

  @Test
  void a_model_whose_code_cannot_be_followed_keeps_floating_point_weights_with_the_error()
      throws IOException {
    Path source = Archives.withUnreadableCode(TestModels.model("mixed.pt"), folder);

    SavedModel saved = Quantization.of(source).all(Dtype.INT8).into(folder);

    try (TorchModel checkpoint = TestModels.open(folder.resolve(TorchaoBackend.CHECKPOINT));
        TorchModel artifact = TestModels.open(runnable())) {
      for (String module : List.of("embedding", "first", "low.linear", "brain.linear")) {
        assertThat(bytes(tensor(artifact, module + ".weight")))
            .isEqualTo(bytes(tensor(checkpoint, module + ".weight")));
      }
    }
    assertThat(report(saved, "first").note())
        .isEqualTo(
            "stays floating-point in quantized_model_torchao.pt, with the error of quantization:"
                + " it is not clear whose weight is used in code/__torch__/unreadable.py, line 1:"
                + " '?' is not understood");
  }

  @Test
  void a_weight_that_the_model_assigns_to_keeps_floating_point() throws IOException {
    Path source =
        Archives.withCode(
            TestModels.model("tied.pt"),
            folder,
            (name, text) ->
                name.endsWith("linear.py")
                    ? text.replace(
                        "    bias = self.bias\n", "    self.weight = input\n    bias = self.bias\n")
                    : text);

    SavedModel saved = Quantization.of(source).all(Dtype.INT8).into(folder);

    assertThat(report(saved, "up.linear").note()).contains("it is changed as the model runs");
    assertThat(report(saved, "down.linear").note()).isNull();
    try (TorchModel artifact = TestModels.open(runnable())) {
      assertTensor(artifact, "up.linear.weight", ElementType.FLOAT16, 32, 16);
      assertTensor(artifact, "down.linear.weight", ElementType.INT8, 16, 32);
    }
  }

  @Test
  void modules_that_int8pack_does_not_suit_are_noted() {
    SavedModel saved =
        Quantization.of(TestModels.digits("transformer_traced.pt"))
            .all(Dtype.INT8)
            .option("kernel", "int8pack")
            .into(folder);

    assertThat(report(saved, "patch").note())
        .isEqualTo("multiplied without int8pack, whose kernel needs a multiple of 16 inputs");
    assertThat(report(saved, "head").note()).isNull();
  }

  @Test
  void what_it_requires_depends_on_what_its_code_uses() {
    Quantization int8 = Quantization.of(TestModels.digits("transformer_traced.pt")).all(Dtype.INT8);

    assertThat(int8.into(folder.resolve("a")).report().requirements())
        .containsExactly(
            Requirement.version(
                "torchao", "0.18", "its tensor classes in quantized_model_torchao.pth"),
            Requirement.version(
                "libtorch", "1.13", "weights that are converted in quantized_model_torchao.pt"));
    assertThat(int8.option("kernel", "int8pack").into(folder.resolve("b")).report().requirements())
        .contains(
            Requirement.version("libtorch", "2.3", "kernel int8pack in quantized_model_torchao.pt"))
        .hasSize(2);
    assertThat(
            Quantization.of(TestModels.digits("transformer_traced.pt"))
                .all(Dtype.FP8_E5M2)
                .into(folder.resolve("c"))
                .report()
                .requirements())
        .contains(
            Requirement.version("libtorch", "2.2", "float8 weights in quantized_model_torchao.pt"))
        .hasSize(2);
  }

  @Test
  void the_record_of_what_it_holds_lies_in_it() {
    SavedModel saved = quantizeAll("mixed_traced.pt", Dtype.INT8);

    try (TorchModel artifact = TestModels.open(runnable())) {
      assertThat(artifact).isInstanceOf(ScriptModel.class);
      assertThat(artifact.record())
          .hasValueSatisfying(
              record -> assertThat(record).isEqualTo(Quantization.record(saved.report())));
    }
  }

  @Test
  void quantizing_it_again_leaves_the_codes_alone() {
    quantizeAll("tied.pt", Dtype.INT8);
    Path again = folder.resolve("again");

    SavedModel saved = Quantization.of(runnable()).all(Dtype.FP8_E4M3FN).into(again);

    assertThat(report(saved, "head").decision().weights().reason()).contains("its weight is int8");
    try (TorchModel artifact = TestModels.open(again.resolve(TorchaoBackend.RUNNABLE))) {
      assertTensor(artifact, "head.weight", ElementType.INT8, 50, 16);
    }
  }

  private SavedModel quantizeAll(String model, Dtype dtype) {
    return Quantization.of(TestModels.model(model))
        .all(dtype)
        .option("runtime_modules", true)
        .into(folder);
  }

  private Path runnable() {
    return folder.resolve(TorchaoBackend.RUNNABLE);
  }

  private String code(String record) {
    try (TorchArchive archive = TorchArchive.open(runnable())) {
      return Archives.text(archive.record(record));
    }
  }

  private static ModuleReport report(SavedModel saved, String module) {
    return saved.report().modules().stream()
        .filter(each -> each.decision().module().equals(module))
        .findFirst()
        .orElseThrow();
  }
}
