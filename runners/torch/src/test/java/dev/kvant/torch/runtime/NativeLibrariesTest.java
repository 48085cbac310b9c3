package dev.kvant.torch.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NativeLibrariesTest {

  private static final String LIBTORCH = "native/lib/pytorch.properties";

  private final Path folder;
  private final List<URLClassLoader> loaders = new ArrayList<>();

  NativeLibrariesTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @AfterEach
  void closeLoaders() throws IOException {
    for (URLClassLoader loader : loaders) {
      loader.close();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "Linux, amd64, linux-x86_64",
    "Linux, aarch64, linux-aarch64",
    "Mac OS X, aarch64, osx-aarch64",
    "Windows 11, amd64, win-x86_64"
  })
  void a_platform_has_the_name_that_djl_gives_it(String system, String processor, String platform) {
    assertThat(NativeLibraries.platform(system, processor)).isEqualTo(platform);
  }

  @Test
  void nothing_is_missing_where_libtorch_and_the_binding_are() throws IOException {
    put("jnilib/pytorch.properties", "jni_version=2.7.1-0.36.0");
    put(LIBTORCH, "version=2.7.1\nflavor=cpu\nclassifier=linux-x86_64\nlibraries=libtorch.so");

    assertThat(libraries("linux-x86_64", null).missing()).isEmpty();
  }

  @Test
  void a_missing_libtorch_is_told_with_the_artifact_to_add() throws IOException {
    put("pytorch-engine.properties", "djl_version=0.36.0\npytorch_version=2.7.1");

    assertThat(libraries("linux-x86_64", null).missing())
        .contains(
            "libtorch for linux-x86_64 is not on the class path; add"
                + " ai.djl.pytorch:pytorch-native-cpu:2.7.1 with the classifier linux-x86_64, or"
                + " name the folder of a libtorch in PYTORCH_LIBRARY_PATH");
  }

  @Test
  void the_libtorch_of_another_platform_does_not_count() throws IOException {
    put(LIBTORCH, "version=2.7.1\nflavor=cpu\nclassifier=win-x86_64\nlibraries=torch.dll");

    assertThat(libraries("linux-aarch64", null).missing()).isPresent();
  }

  @Test
  void a_placeholder_that_would_download_does_not_count() throws IOException {
    put(LIBTORCH, "version=2.7.1\nplaceholder=true\nclassifier=linux-x86_64");

    assertThat(libraries("linux-x86_64", null).missing()).isPresent();
  }

  @Test
  void a_missing_binding_is_told_with_the_artifact_to_add() throws IOException {
    put("pytorch-engine.properties", "djl_version=0.36.0\npytorch_version=2.7.1");

    assertThat(libraries("linux-x86_64", "/opt/libtorch/lib").missing())
        .contains(
            "DJL's binding to libtorch is not on the class path; add"
                + " ai.djl.pytorch:pytorch-jni:2.7.1-0.36.0");
  }

  @Test
  void a_libtorch_of_the_users_own_needs_none_on_the_class_path() throws IOException {
    put("jnilib/pytorch.properties", "jni_version=2.7.1-0.36.0");

    assertThat(libraries("linux-x86_64", "/opt/libtorch/lib").missing()).isEmpty();
  }

  private void put(String resource, String content) throws IOException {
    Path file = folder.resolve(resource);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
  }

  private NativeLibraries libraries(String platform, @Nullable String libraryPath)
      throws MalformedURLException {
    var loader =
        new URLClassLoader(
            new URL[] {folder.toUri().toURL()}, ClassLoader.getPlatformClassLoader());
    loaders.add(loader);
    return new NativeLibraries(loader, platform, libraryPath);
  }
}
