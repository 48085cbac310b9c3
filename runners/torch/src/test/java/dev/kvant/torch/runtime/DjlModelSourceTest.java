package dev.kvant.torch.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.spi.ModelSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DjlModelSourceTest {

  private final DjlModelSource source = new DjlModelSource();
  private final Path folder;

  DjlModelSourceTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @Test
  void it_is_found_as_a_service() {
    assertThat(ServiceLoader.load(ModelSource.class))
        .hasExactlyElementsOfTypes(DjlModelSource.class);
  }

  @Test
  void the_file_of_a_model_has_the_models_name() throws Exception {
    Path file = copy("encoder.pt");
    copy("other.pt");
    try (Model model = Model.newInstance("encoder", "PyTorch")) {
      model.load(folder);

      assertThat(source.locate(model)).contains(file);
    }
  }

  @Test
  void the_file_of_a_model_is_the_path_that_it_was_loaded_from() throws Exception {
    Path file = copy("encoder.pt");
    copy("other.pt");
    try (Model model = Model.newInstance("something", "PyTorch")) {
      model.load(file);

      assertThat(source.locate(model)).contains(file);
    }
  }

  @Test
  void the_file_of_a_model_has_its_folders_name_or_is_called_model() throws Exception {
    Path file = copy("model.pt");
    copy("other.pt");
    try (Model model = Model.newInstance("something", "PyTorch")) {
      model.load(folder);

      assertThat(source.locate(model)).contains(file);
    }
  }

  @Test
  void a_model_of_another_name_is_the_only_file_of_its_folder() throws Exception {
    Path file = copy("encoder.pt");
    try (Model model = Model.newInstance("something", "PyTorch")) {
      model.load(folder, "encoder");

      assertThat(source.locate(model)).contains(file);
    }
  }

  @Test
  void a_model_of_another_name_among_several_files_cannot_be_told() throws Exception {
    copy("encoder.pt");
    copy("other.pt");
    try (Model model = Model.newInstance("something", "PyTorch")) {
      model.load(folder, "encoder");

      assertThatThrownBy(() -> source.locate(model))
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("which of [encoder.pt, other.pt] in " + folder)
          .hasMessageContaining("pass the java.nio.file.Path");
    }
  }

  @Test
  void the_file_of_a_zoo_model_is_found() throws Exception {
    Path file = copy("encoder.pt");
    Criteria<NDList, NDList> criteria =
        Criteria.builder()
            .setTypes(NDList.class, NDList.class)
            .optModelPath(folder)
            .optModelName("encoder")
            .optEngine("PyTorch")
            .build();
    try (ZooModel<NDList, NDList> model = criteria.loadModel()) {
      assertThat(source.locate(model)).contains(file);
    }
  }

  @Test
  void a_model_that_was_loaded_from_a_stream_has_no_file() throws Exception {
    try (Model model = Model.newInstance("streamed", "PyTorch");
        InputStream stream = Files.newInputStream(Models.resource("echo.pt"))) {
      model.load(stream);

      assertThatThrownBy(() -> source.locate(model))
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("the DJL model 'streamed' was loaded from a stream")
          .hasMessageContaining("pass the java.nio.file.Path of the TorchScript file instead");
    }
  }

  @Test
  void a_model_that_was_not_loaded_has_no_file() {
    try (Model model = Model.newInstance("empty", "PyTorch")) {
      assertThatThrownBy(() -> source.locate(model))
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("the DJL model 'empty' has not been loaded");
    }
  }

  @Test
  void other_objects_are_none_of_its_own() {
    assertThat(source.locate("a text")).isEmpty();
  }

  private Path copy(String name) throws IOException {
    return Files.copy(Models.resource("echo.pt"), folder.resolve(name));
  }
}
