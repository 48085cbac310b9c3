package dev.kvant.integration;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.Gson;
import dev.kvant.api.Artifact;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.SavedModel;
import dev.kvant.backend.torchao.TorchaoBackend;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.discovery.Installation;
import dev.kvant.torch.TorchFormat;
import java.io.IOException;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("A plugin folder with the torch formats and a backend built on them")
class PluginFolderTest {

  private static final Path MODEL =
      Path.of("..", "..", "examples", "digits", "models", "transformer.pth");

  @TempDir private Path folder;
  private Path plugins = Path.of("");

  @BeforeEach
  void install() throws IOException {
    plugins = folder.resolve("plugins");
    ClassPathElement.pour(
        List.of(ClassPathElement.of(TorchFormat.class)),
        plugins.resolve("torch").resolve("torch-format.jar"),
        ClassPathElement.Clash.LAST);
    ClassPathElement.pour(
        ClassPathElement.all().stream()
            .filter(element -> element.isNamed("commons-compress", "commons-io", "commons-lang"))
            .toList(),
        plugins.resolve("torch").resolve("commons.jar"),
        ClassPathElement.Clash.LAST);
    ClassPathElement.pour(
        List.of(ClassPathElement.of(Gson.class)),
        plugins.resolve("torch").resolve("gson.jar"),
        ClassPathElement.Clash.LAST);
    ClassPathElement.pour(
        List.of(ClassPathElement.of(TorchaoBackend.class)),
        plugins.resolve("torchao").resolve("backend-torchao.jar"),
        ClassPathElement.Clash.LAST);
    Files.writeString(plugins.resolve("torchao").resolve("plugin.properties"), "parent=torch\n");
  }

  private Kvant kvant() {
    return Kvant.builder().withoutDiscovery().pluginDirectory(plugins).build();
  }

  @Test
  void offers_what_is_in_it_and_nothing_twice() {
    try (Kvant kvant = kvant()) {
      Installation installed = kvant.backends();

      assertThat(installed.backends())
          .singleElement()
          .satisfies(
              backend -> {
                assertThat(backend.descriptor().id()).isEqualTo("torchao");
                assertThat(backend.location()).endsWith("backend-torchao.jar");
              });
      assertThat(installed.broken()).isEmpty();
      assertThat(installed.conflicts()).isEmpty();
      assertThat(installed.remarks()).isEmpty();
    }
  }

  @Test
  void loads_models_with_classes_of_its_own() {
    try (Kvant kvant = kvant();
        QuantizableModel model = kvant.load(MODEL)) {
      assertThat(Objects.requireNonNull(model.getClass().getClassLoader()).getName())
          .isEqualTo("plugin torch");
    }
  }

  @Test
  void quantizes_a_model_that_one_plugin_opened_by_a_backend_of_another() {
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder()
            .backend("torchao")
            .layer("Linear", Dtype.INT8)
            .resultsDir(folder.resolve("results"))
            .build();
    try (Kvant kvant = kvant();
        QuantizableModel model = kvant.load(MODEL);
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      quantizer.quantizeModel(model);
      SavedModel saved = quantizer.saveModel();

      assertThat(saved.artifacts()).extracting(Artifact::path).allMatch(Files::isRegularFile);
      try (QuantizableModel artifact = kvant.load(saved.artifacts().get(0).path())) {
        assertThat(kvant.report(artifact))
            .hasValueSatisfying(
                report -> assertThat(report.modules()).anyMatch(ModuleReport::isQuantized));
      }
    }
  }

  /** Quantizes and closes everything; a method of its own, so that no local variable is left. */
  private Reference<ClassLoader> loaderOfWhatWasUsed() {
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder().backend("torchao").layer("Linear", Dtype.INT8).build();
    try (Kvant kvant = kvant();
        QuantizableModel model = kvant.load(MODEL);
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      quantizer.saveModel(quantizer.quantizeModel(model), folder.resolve("results"));
      return new WeakReference<>(model.getClass().getClassLoader());
    }
  }

  /**
   * The record whose methods were made last. Java 17 holds the types that the components of this
   * one have, and with them their class loader, until the methods of the next are made.
   */
  private record Newest(String name) {}

  @Test
  void leaves_no_classes_and_no_threads_behind() throws Exception {
    Set<Thread> before = Thread.getAllStackTraces().keySet();

    Reference<ClassLoader> loader = loaderOfWhatWasUsed();

    assertThat(Thread.getAllStackTraces().keySet().stream().filter(Thread::isAlive))
        .isSubsetOf(before);
    assertThat(new Newest("a")).isEqualTo(new Newest("a")).hasSameHashCodeAs(new Newest("a"));
    for (int i = 0; i < 100 && loader.get() != null; i++) {
      System.gc();
      Thread.sleep(20);
    }
    assertThat(loader.get()).isNull();
  }
}
