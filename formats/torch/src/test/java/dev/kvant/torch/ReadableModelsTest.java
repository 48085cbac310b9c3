package dev.kvant.torch;

import static dev.kvant.torch.TestModels.content;
import static dev.kvant.torch.TestModels.expected;
import static dev.kvant.torch.TestModels.numbers;
import static dev.kvant.torch.TestModels.sha256;
import static dev.kvant.torch.TestModels.tensor;
import static dev.kvant.torch.TestModels.texts;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.TensorDescription;
import dev.kvant.torch.tensor.DenseTensor;
import dev.kvant.torch.tensor.QuantizedTensor;
import dev.kvant.torch.tensor.StoredTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every readable file holds for Kvant what it holds for PyTorch and safetensors. */
class ReadableModelsTest {

  @ParameterizedTest
  @CsvSource({
    "tied.pt, torchscript",
    "tied_traced.pt, torchscript",
    "mixed.pt, torchscript",
    "mixed_traced.pt, torchscript",
    "places.pt, torchscript",
    "tied.pt2, pt2",
    "mixed.pt2, pt2",
    "places.pt2, pt2",
    "tied.pth, pytorch",
    "mixed.pth, pytorch",
    "ordered.pth, pytorch",
    "plain.pth, pytorch",
    "strange.pth, pytorch",
    "opaque.pth, pytorch",
    "legacy_tied.pth, pytorch",
    "legacy_strange.pth, pytorch",
    "legacy_checkpoint_lightning.pth, pytorch",
    "checkpoint_lightning.pth, pytorch",
    "checkpoint_tao.pth, pytorch",
    "checkpoint_model.pth, pytorch",
    "checkpoint_module.pth, pytorch",
    "checkpoint_model_state_dict.pth, pytorch",
    "tied.safetensors, safetensors",
    "mixed.safetensors, safetensors",
    "bfloat16.safetensors, safetensors",
    "types.safetensors, safetensors",
    "sharded, safetensors",
  })
  void tensors_are_those_that_pytorch_reads(String name, String format) {
    JsonObject expected = expected(name + ".json");
    JsonObject tensors = expected.getAsJsonObject("tensors");
    try (TorchModel model = TestModels.open(name)) {
      assertThat(model.format()).isEqualTo(format);
      assertThat(model.source()).isEqualTo(TestModels.path(name));

      List<String> opaque = new ArrayList<>();
      if (expected.has("not_tensors")) {
        opaque.addAll(texts(expected.get("not_tensors")));
      }
      for (Map.Entry<String, JsonElement> entry : tensors.entrySet()) {
        JsonObject tensor = entry.getValue().getAsJsonObject();
        if (tensor.get("dtype").getAsString().startsWith("complex")) {
          opaque.add(entry.getKey());
        } else {
          assertIs(tensor(model, entry.getKey()), entry.getKey(), tensor);
        }
      }
      assertThat(model.opaqueEntries()).containsExactlyInAnyOrderElementsOf(opaque);
      assertThat(model.tensors()).hasSize(tensors.size() - (opaque.contains("complex64") ? 1 : 0));
      if (!format.equals("safetensors")) {
        List<String> order = new ArrayList<>(tensors.keySet());
        order.removeAll(opaque);
        assertThat(model.tensors().keySet()).containsExactlyElementsOf(order);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "mixed.pt",
        "mixed_traced.pt",
        "tied.pt",
        "mixed.pt2",
        "places.pt2",
        "mixed.pth",
        "strange.pth",
        "types.safetensors",
        "sharded"
      })
  void every_tensor_of_the_state_dict_belongs_to_a_module_or_the_root(String name) {
    try (TorchModel model = TestModels.open(name)) {
      List<String> described =
          Stream.concat(model.root().stream(), model.modules().stream())
              .flatMap(
                  module ->
                      module.names().stream()
                          .flatMap(
                              place ->
                                  module.tensors().stream()
                                      .map(TensorDescription::name)
                                      .map(own -> place.isEmpty() ? own : place + "." + own)))
              .toList();

      assertThat(described).containsExactlyInAnyOrderElementsOf(model.tensors().keySet());
    }
  }

  @Test
  void a_root_that_owns_no_tensors_is_not_shown() {
    try (TorchModel model = TestModels.open("tied.pt")) {
      assertThat(model.root()).isEmpty();
    }
  }

  private static void assertIs(StoredTensor stored, String name, JsonObject expected) {
    DenseTensor tensor = (DenseTensor) stored;
    assertThat(tensor.elementType().label())
        .as(name)
        .isEqualTo(expected.get("dtype").getAsString());
    assertThat(tensor.shape()).as(name).isEqualTo(numbers(expected.get("shape")));
    assertThat(tensor.strides()).as(name).isEqualTo(numbers(expected.get("stride")));
    assertThat(tensor.offset()).as(name).isEqualTo(expected.get("offset").getAsLong());
    assertThat(sha256(content(tensor))).as(name).isEqualTo(expected.get("sha256").getAsString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tied.pt",
        "tied_traced.pt",
        "mixed.pt",
        "mixed_traced.pt",
        "places.pt",
        "tied.pt2",
        "mixed.pt2",
        "places.pt2",
        "tied.pth",
        "strange.pth"
      })
  void tensors_that_share_a_storage_still_do(String name) {
    try (TorchModel model = TestModels.open(name)) {
      for (JsonElement group : expected(name + ".json").getAsJsonArray("shared")) {
        assertThat(
                texts(group).stream()
                    .map(shared -> tensor(model, shared).storages().get(0).id())
                    .distinct())
            .as(group.toString())
            .hasSize(1);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tied.pt", "tied_traced.pt", "mixed.pt", "mixed_traced.pt", "places.pt"})
  void modules_and_their_classes_are_those_of_named_modules(String name) {
    try (TorchModel model = TestModels.open(name)) {
      List<List<String>> found = new ArrayList<>();
      for (ModuleDescription module : model.modules()) {
        assertThat(module.typesInferred()).isFalse();
        module.names().forEach(place -> found.add(List.of(place, module.type())));
      }

      List<List<String>> modules = new ArrayList<>();
      expected(name + ".json").getAsJsonArray("modules").forEach(pair -> modules.add(texts(pair)));
      assertThat(found).containsExactlyElementsOf(modules);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tied_int8.pth",
        "tied_fp8_e4m3fn.pth",
        "tied_fp8_e5m2.pth",
        "mixed_int8.pth",
        "mixed_fp8_e4m3fn.pth",
        "mixed_fp8_e5m2.pth"
      })
  void tensors_of_torchao_are_read_as_what_they_stand_for(String name) {
    JsonObject tensors = expected("torchao/" + name + ".json").getAsJsonObject("tensors");
    try (TorchModel model = TestModels.open("torchao/" + name)) {
      assertThat(model.tensors().keySet()).containsExactlyElementsOf(tensors.keySet());
      tensors
          .entrySet()
          .forEach(
              entry -> {
                JsonObject expected = entry.getValue().getAsJsonObject();
                StoredTensor tensor = tensor(model, entry.getKey());
                if (expected.has("qdata")) {
                  QuantizedTensor quantized = (QuantizedTensor) tensor;
                  assertIs(quantized.codes(), entry.getKey(), expected.getAsJsonObject("qdata"));
                  assertIs(quantized.scales(), entry.getKey(), expected.getAsJsonObject("scale"));
                  assertThat(quantized.elementType().label())
                      .isEqualTo(expected.get("dtype").getAsString());
                  assertThat(sha256(content(quantized)))
                      .as(entry.getKey())
                      .isEqualTo(expected.get("dequantized_sha256").getAsString());
                } else {
                  assertIs(tensor, entry.getKey(), expected);
                }
              });
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"mixed.pt", "mixed_traced.pt", "mixed.pt2", "mixed.pth"})
  void a_storage_that_tensors_share_is_counted_once(String name) {
    try (TorchModel model = TestModels.open(name)) {
      long all = model.tensors().values().stream().mapToLong(StoredTensor::bytes).sum();
      long twice = tensor(model, "second.weight").bytes() + tensor(model, "second.bias").bytes();

      assertThat(model.tensorBytes()).isEqualTo(all - twice);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tied.pt", "tied_traced.pt", "tied.pt2", "tied.pth"})
  void tied_tensors_are_described_as_one(String name) {
    try (TorchModel model = TestModels.open(name)) {
      assertThat(storage(model, "head")).isEqualTo(storage(model, "embedding"));
      assertThat(storage(model, "head")).isNotEqualTo(storage(model, "norm"));
    }
  }

  private static String storage(TorchModel model, String module) {
    return model.modules().stream()
        .filter(description -> description.name().equals(module))
        .findFirst()
        .flatMap(ModuleDescription::weight)
        .map(TensorDescription::storage)
        .orElseThrow();
  }
}
