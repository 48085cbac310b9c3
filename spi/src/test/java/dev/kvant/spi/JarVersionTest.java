package dev.kvant.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.io.OutputStream;
import java.lang.module.Configuration;
import java.lang.module.ModuleFinder;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("The version of a class's jar")
class JarVersionTest {

  /** Is put into jars. */
  private static final class Inhabitant {}

  private static final String NAME = Inhabitant.class.getName();

  @TempDir private Path folder;

  @Test
  void is_that_of_the_manifest_on_the_class_path() throws Exception {
    try (URLClassLoader loader = classPath(jar("thing.jar", "1.2.3"))) {
      assertThat(JarVersion.of(loader.loadClass(NAME))).isEqualTo("1.2.3");
    }
  }

  @Test
  void is_that_of_the_module_on_the_module_path() throws Exception {
    assertThat(JarVersion.of(module(jar("thing-1.2.4.jar", "9")))).isEqualTo("1.2.4");
  }

  @Test
  void is_unknown_where_the_jar_does_not_say_it() throws Exception {
    Path jar = jar("thing.jar", null);
    try (URLClassLoader loader = classPath(jar)) {
      assertThat(JarVersion.of(loader.loadClass(NAME))).isEqualTo("development");
    }
    assertThat(JarVersion.of(module(jar))).isEqualTo("development");
  }

  @Test
  void is_unknown_of_classes_in_a_folder() {
    assertThat(JarVersion.of(Inhabitant.class)).isEqualTo("development");
  }

  @Test
  void is_that_of_the_file_beside_the_class_where_the_manifest_is_of_a_fat_jar() throws Exception {
    try (URLClassLoader loader = classPath(jar("fat.jar", "7", "version=1.2.5\n"))) {
      assertThat(JarVersion.of(loader.loadClass(NAME))).isEqualTo("1.2.5");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "name=x", "version=\\u12"})
  void is_that_of_the_manifest_where_the_file_beside_the_class_does_not_tell(String file)
      throws Exception {
    try (URLClassLoader loader = classPath(jar("thing.jar", "1.2.6", file))) {
      assertThat(JarVersion.of(loader.loadClass(NAME))).isEqualTo("1.2.6");
    }
  }

  private static URLClassLoader classPath(Path jar) throws Exception {
    return new URLClassLoader(
        new URL[] {jar.toUri().toURL()}, ClassLoader.getPlatformClassLoader());
  }

  private static Class<?> module(Path jar) throws Exception {
    ModuleLayer boot = ModuleLayer.boot();
    Configuration modules =
        boot.configuration().resolve(ModuleFinder.of(jar), ModuleFinder.of(), Set.of("thing"));
    return boot.defineModulesWithOneLoader(modules, ClassLoader.getPlatformClassLoader())
        .findLoader("thing")
        .loadClass(NAME);
  }

  private Path jar(String file, @Nullable String version) throws Exception {
    return jar(file, version, null);
  }

  private Path jar(String file, @Nullable String version, @Nullable String properties)
      throws Exception {
    var manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    if (version != null) {
      manifest.getMainAttributes().put(Attributes.Name.IMPLEMENTATION_VERSION, version);
    }
    String entry = NAME.replace('.', '/') + ".class";
    Path jar = folder.resolve(file);
    try (OutputStream out = Files.newOutputStream(jar);
        JarOutputStream zip = new JarOutputStream(out, manifest);
        InputStream in = JarVersionTest.class.getClassLoader().getResourceAsStream(entry)) {
      zip.putNextEntry(new ZipEntry(entry));
      Objects.requireNonNull(in).transferTo(zip);
      zip.closeEntry();
      if (properties != null) {
        zip.putNextEntry(
            new ZipEntry(entry.substring(0, entry.lastIndexOf('/') + 1) + "version.properties"));
        zip.write(properties.getBytes(StandardCharsets.ISO_8859_1));
        zip.closeEntry();
      }
    }
    return jar;
  }
}
