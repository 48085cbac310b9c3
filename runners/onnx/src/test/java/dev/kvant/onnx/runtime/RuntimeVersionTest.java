package dev.kvant.onnx.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.spi.Availability;
import dev.kvant.spi.Availability.Unavailable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.jar.Attributes.Name;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RuntimeVersionTest {

  private static final String ENTRY = "ai/onnxruntime/OrtEnvironment.class";

  @TempDir private Path folder;

  @Test
  void the_runtime_of_this_build_can_be_used() {
    assertThat(new OnnxRunnerProvider().availability()).isEqualTo(Availability.available());
  }

  @Test
  void says_that_a_version_is_too_old_and_where_it_lies() throws IOException {
    Path jar = jar("onnxruntime", "1.19.0");

    assertThat(availability(jar))
        .isEqualTo(
            Availability.unavailable(
                "ONNX Runtime 1.19.0 in %s is too old, the minimum is 1.19.2; put com.microsoft.onnxruntime:onnxruntime of version 1.19.2 or newer on the class path, or exclude the older one from the dependency that brings it"
                    .formatted(jar.toUri().toURL())));
  }

  @Test
  void takes_the_minimum_and_versions_with_more_digits() throws IOException {
    assertThat(availability(jar("onnxruntime", "1.19.2"))).isEqualTo(Availability.available());
    assertThat(availability(jar("onnxruntime_gpu", "1.100.1"))).isEqualTo(Availability.available());
    assertThat(availability(jar("onnxruntime_gpu", "1.9.0"))).isInstanceOf(Unavailable.class);
  }

  @Test
  void knows_which_versions_find_tensors_in_files() {
    assertThat(RuntimeVersion.findsTensorsBesideBytes("1.20.0")).isFalse();
    assertThat(RuntimeVersion.findsTensorsBesideBytes("1.21.0")).isTrue();
    assertThat(RuntimeVersion.findsTensorsBesideBytes("1.100.0")).isTrue();
    assertThat(RuntimeVersion.findsTensorsBesideBytes("nightly")).isTrue();
  }

  @Test
  void says_that_it_is_missing() {
    assertThat(RuntimeVersion.availability(ClassLoader.getPlatformClassLoader()))
        .isEqualTo(
            Availability.unavailable(
                "ONNX Runtime is missing; put com.microsoft.onnxruntime:onnxruntime of version 1.19.2 or newer on the class path"));
  }

  @Test
  void takes_the_version_of_an_application_for_none() throws IOException {
    assertThat(availability(jar("my-service", "1.0.0"))).isEqualTo(Availability.available());
    assertThat(availability(jar("onnxruntime", "latest"))).isEqualTo(Availability.available());
  }

  private static Availability availability(Path jar) throws IOException {
    try (URLClassLoader loader =
        new URLClassLoader(new URL[] {jar.toUri().toURL()}, ClassLoader.getPlatformClassLoader())) {
      return RuntimeVersion.availability(loader);
    }
  }

  /** A jar with the class by which ONNX Runtime is found, and such a manifest. */
  private Path jar(String title, String version) throws IOException {
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().put(Name.IMPLEMENTATION_TITLE, title);
    manifest.getMainAttributes().put(Name.IMPLEMENTATION_VERSION, version);
    Path jar = Files.createTempFile(folder, "runtime", ".jar");
    try (OutputStream out = Files.newOutputStream(jar);
        JarOutputStream entries = new JarOutputStream(out, manifest);
        InputStream content =
            Objects.requireNonNull(getClass().getClassLoader().getResourceAsStream(ENTRY))) {
      entries.putNextEntry(new ZipEntry(ENTRY));
      content.transferTo(entries);
    }
    return jar;
  }
}
