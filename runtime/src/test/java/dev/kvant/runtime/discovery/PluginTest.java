package dev.kvant.runtime.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.kvant.api.DiscoveryException;
import dev.kvant.api.Dtype;
import dev.kvant.api.KvantException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.ProviderException;
import dev.kvant.runtime.FakeModel;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.discovery.InstalledProvider.Service;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.ModelFormat;
import dev.kvant.spi.ModelRunnerProvider;
import dev.kvant.spi.ModelSource;
import dev.kvant.spi.QuantizationBackend;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.Reference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("A plugin")
class PluginTest {

  @TempDir private Path plugins;

  private Kvant kvant() {
    return Kvant.builder().withoutDiscovery().pluginDirectory(plugins).build();
  }

  private static String described(String className, String id, String description) {
    return BackendSource.of(className, id).replace("\"For the test.\"", description);
  }

  private JarBuilder backend(String className, String source) {
    return new JarBuilder().source(className, source).service(QuantizationBackend.class, className);
  }

  private static List<String> descriptions(Kvant kvant) {
    return kvant.backends().backends().stream()
        .map(backend -> backend.descriptor().description())
        .toList();
  }

  private static List<String> ids(Kvant kvant) {
    return kvant.backends().backends().stream().map(backend -> backend.descriptor().id()).toList();
  }

  @Test
  void is_every_folder_with_jars() throws IOException {
    backend("test.One", BackendSource.of("test.One", "one"))
        .write(plugins.resolve("one").resolve("one.jar"));
    backend("test.Two", BackendSource.of("test.Two", "two"))
        .write(plugins.resolve("two").resolve("two.jar"));
    Files.createDirectories(plugins.resolve("empty"));
    Files.createDirectories(plugins.resolve(".hidden"));
    Files.writeString(plugins.resolve("README"), "no folder");

    try (Kvant kvant = kvant()) {
      assertThat(ids(kvant)).containsExactly("one", "two");
      assertThat(kvant.backends().remarks())
          .containsExactly("plugin 'empty' has no jars in " + plugins.resolve("empty"));
    }
  }

  @Test
  void has_versions_of_its_own_of_what_others_have_too() throws IOException {
    for (String version : List.of("first", "second")) {
      Path folder = plugins.resolve(version);
      Path library =
          new JarBuilder()
              .source(
                  "lib.Library",
                  "package lib; public class Library { public static String version() { return \"%s\"; } }"
                      .formatted(version))
              .write(folder.resolve("lib.jar"));
      backend("test.One", described("test.One", version, "lib.Library.version()"))
          .against(library)
          .write(folder.resolve("one.jar"));
    }

    try (Kvant kvant = kvant()) {
      assertThat(descriptions(kvant)).containsExactly("first", "second");
      assertThat(kvant.backends().conflicts()).isEmpty();
    }
  }

  @Test
  void does_not_see_the_applications_classes_beyond_what_is_shared() throws IOException {
    // AssertJ is on the application's class path, the spi is shared.
    backend(
            "test.One",
            described("test.One", "one", "String.valueOf(org.assertj.core.api.Assertions.class)"))
        .write(plugins.resolve("one").resolve("one.jar"));

    try (Kvant kvant = kvant()) {
      assertThat(kvant.backends().broken())
          .extracting(BrokenProvider::reason)
          .containsExactly(
              "it cannot describe itself: class org.assertj.core.api.Assertions is not there, a jar"
                  + " must be missing");
    }
  }

  @Test
  void does_not_see_the_applications_providers() throws IOException {
    backend("test.One", BackendSource.of("test.One", "one"))
        .write(plugins.resolve("one").resolve("one.jar"));

    try (Kvant kvant = kvant()) {
      assertThat(ids(kvant)).containsExactly("one");
      assertThat(kvant.backends().broken()).isEmpty();
    }
  }

  @Test
  void shares_logging_and_the_platform_with_the_application() throws IOException {
    backend(
            "test.One",
            described(
                "test.One",
                "one",
                "org.slf4j.LoggerFactory.getILoggerFactory().getClass().getClassLoader()"
                    + " == null ? \"\" : java.sql.Types.class.getName()"))
        .write(plugins.resolve("one").resolve("one.jar"));

    try (Kvant kvant = kvant()) {
      assertThat(descriptions(kvant)).containsExactly("java.sql.Types");
    }
  }

  /** A parent with a library and a provider, and two children that use both. */
  private void writeFamily() throws IOException {
    Path parent = plugins.resolve("parent");
    Path library =
        new JarBuilder()
            .source("lib.Shared", "package lib; public class Shared {}")
            .source("test.Parent", BackendSource.of("test.Parent", "parent"))
            .service(QuantizationBackend.class, "test.Parent")
            .write(parent.resolve("lib.jar"));
    for (String child : List.of("a-child", "z-child")) {
      Path folder = plugins.resolve(child);
      // Carries the library too; the parent's must win, or a type would be two.
      Files.createDirectories(folder);
      Files.copy(library, folder.resolve("lib.jar"));
      backend(
              "test.Child",
              described(
                  "test.Child", child, "String.valueOf(System.identityHashCode(lib.Shared.class))"))
          .against(library)
          .write(folder.resolve("child.jar"));
      Files.writeString(folder.resolve("plugin.properties"), "parent=parent\n");
    }
  }

  @Test
  void shares_the_classes_of_its_parent_which_exist_once() throws IOException {
    writeFamily();

    try (Kvant kvant = kvant()) {
      assertThat(ids(kvant)).containsExactly("a-child", "parent", "z-child");
      assertThat(descriptions(kvant).get(0)).isEqualTo(descriptions(kvant).get(2));
    }
  }

  @Test
  void of_which_others_are_children_is_listed_once() throws IOException {
    writeFamily();

    try (Kvant kvant = kvant()) {
      assertThat(ids(kvant)).containsOnlyOnce("parent");
      assertThat(kvant.backends().conflicts()).isEmpty();
      assertThat(kvant.backends().remarks()).isEmpty();
    }
  }

  @Test
  void whose_parent_is_not_installed_cannot_be_used_and_others_can() throws IOException {
    backend("test.One", BackendSource.of("test.One", "one"))
        .write(plugins.resolve("one").resolve("one.jar"));
    backend("test.Two", BackendSource.of("test.Two", "two"))
        .write(plugins.resolve("two").resolve("two.jar"));
    Files.writeString(plugins.resolve("two").resolve("plugin.properties"), "parent = torch");

    try (Kvant kvant = kvant()) {
      assertThat(ids(kvant)).containsExactly("one");
      assertThat(kvant.backends().broken())
          .extracting(BrokenProvider::toString)
          .containsExactly(
              "two (%s): its parent plugin 'torch' is not installed; plugins: one, two"
                  .formatted(plugins.resolve("two")));
    }
  }

  @Test
  void whose_properties_cannot_be_read_cannot_be_used_and_others_can() throws IOException {
    for (String name : List.of("one", "two")) {
      backend("test.One", BackendSource.of("test.One", name))
          .write(plugins.resolve(name).resolve("one.jar"));
    }
    Files.writeString(plugins.resolve("two").resolve("plugin.properties"), "parent=\\u12");

    try (Kvant kvant = kvant()) {
      assertThat(ids(kvant)).containsExactly("one");
      assertThat(kvant.backends().broken())
          .extracting(BrokenProvider::toString)
          .containsExactly(
              "two (%s): its folder cannot be read: plugin.properties: Malformed \\uxxxx encoding."
                  .formatted(plugins.resolve("two")));
    }
  }

  @Test
  void that_is_its_own_grandparent_cannot_be_used() throws IOException {
    for (String name : List.of("a", "b")) {
      backend("test.One", BackendSource.of("test.One", name))
          .write(plugins.resolve(name).resolve("one.jar"));
      Files.writeString(
          plugins.resolve(name).resolve("plugin.properties"),
          "parent=" + (name.equals("a") ? "b" : "a"));
    }

    try (Kvant kvant = kvant()) {
      assertThat(ids(kvant)).isEmpty();
      assertThat(kvant.backends().broken())
          .extracting(BrokenProvider::reason)
          .containsExactly(
              "plugins are each other's parent: a -> b -> a",
              "plugins are each other's parent: b -> a -> b");
    }
  }

  @Test
  void with_its_own_copy_of_the_api_works_with_the_applications_and_is_told_so()
      throws IOException {
    String api = KvantException.class.getName().replace('.', '/') + ".class";
    try (InputStream in = KvantException.class.getResourceAsStream("KvantException.class")) {
      backend("test.One", BackendSource.of("test.One", "one"))
          .file(api, Objects.requireNonNull(in).readAllBytes())
          .write(plugins.resolve("one").resolve("fat.jar"));
    }

    try (Kvant kvant = kvant()) {
      assertThat(ids(kvant)).containsExactly("one");
      assertThat(kvant.backends().remarks())
          .containsExactly(
              "plugin 'one' carries its own copy of Kvant's api in "
                  + plugins.resolve("one").resolve("fat.jar")
                  + "; it is not used, the application's is. Give the plugin's dependencies on"
                  + " kvant-api and kvant-spi the scope 'provided'");
    }
  }

  @Test
  void that_lost_its_services_files_is_told_so() throws IOException {
    new JarBuilder()
        .source("test.One", BackendSource.of("test.One", "one"))
        .write(plugins.resolve("one").resolve("fat.jar"));

    try (Kvant kvant = kvant()) {
      assertThat(kvant.backends().remarks())
          .containsExactly(
              "plugin 'one' offers nothing: its jars have no file META-INF/services/dev.kvant.spi.*;"
                  + " if it is a fat jar, merge these files when it is built instead of keeping one");
    }
  }

  @Test
  void whose_jar_is_no_jar_is_told_so_and_others_work() throws IOException {
    backend("test.One", BackendSource.of("test.One", "one"))
        .write(plugins.resolve("one").resolve("one.jar"));
    Path junk = Files.createDirectories(plugins.resolve("two")).resolve("two.jar");
    Files.writeString(junk, "no jar");

    try (Kvant kvant = kvant()) {
      assertThat(ids(kvant)).containsExactly("one");
      assertThat(kvant.backends().broken())
          .extracting(BrokenProvider::toString)
          .containsExactly(
              "two (%s): it cannot be read as a jar: zip END header not found".formatted(junk));
      assertThat(kvant.backends().remarks()).isEmpty();
    }
  }

  @Test
  void may_offer_something_else_than_a_backend() throws IOException {
    Path model = Files.writeString(plugins.resolve("model"), "x");
    new JarBuilder()
        .source(
            "test.Source",
            """
            package test;
            public class Source implements dev.kvant.spi.ModelSource {
              public java.util.Optional<java.nio.file.Path> locate(Object model) {
                return model instanceof Integer
                    ? java.util.Optional.of(java.nio.file.Path.of("%s"))
                    : java.util.Optional.empty();
              }
            }
            """
                .formatted(model.toString().replace("\\", "/")))
        .service(ModelSource.class, "test.Source")
        .write(plugins.resolve("one").resolve("one.jar"));

    try (Kvant kvant = kvant()) {
      assertThatThrownBy(() -> kvant.load((Object) 3))
          .hasMessageContaining(model + " is not a model of any installed format");
      assertThatThrownBy(() -> kvant.load("text"))
          .hasMessageStartingWith("a java.lang.String is no model that can be opened")
          .hasMessageContaining("installed: test.Source");
      assertThat(kvant.backends().remarks()).isEmpty();
    }
  }

  @Test
  void lets_go_of_its_jars_when_the_entry_point_is_closed() throws IOException {
    Path jar =
        backend("test.One", leavingItsLoader("test.One", "one"))
            .source("test.Later", "package test; public class Later {}")
            .write(plugins.resolve("one").resolve("one.jar"));
    Registry registry =
        new Registry(
            List.of(), List.of(plugins), List.of(), List.of(), List.of(), List.of(), List.of());
    assertThat(registry.backend("one")).isPresent();
    ClassLoader loader = (ClassLoader) Objects.requireNonNull(loaderLeft().get());

    registry.close();

    assertThatThrownBy(() -> loader.loadClass("test.Later"))
        .isInstanceOf(ClassNotFoundException.class);
    assertThat(Files.deleteIfExists(jar)).isTrue();
  }

  /** Where the loader of a plugin's backend leaves a weak reference to itself. */
  private static final String LOADER = "kvant.test.loader";

  private static String leavingItsLoader(String className, String id) {
    return BackendSource.doing(
        className,
        id,
        "System.getProperties().put(\"%s\", new java.lang.ref.WeakReference<>(getClass().getClassLoader()));"
            .formatted(LOADER),
        "");
  }

  private static Reference<?> loaderLeft() {
    return (Reference<?>) Objects.requireNonNull(System.getProperties().remove(LOADER));
  }

  /** Uses a plugin, as far as its backend can be used, and closes everything. */
  private Reference<?> loaderOfWhatWasUsed(Kvant kvant) {
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder().backend("one").layer("Linear", Dtype.INT8).build();
    try (kvant;
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      PreparedModel prepared =
          quantizer.prepare(new FakeModel().format("any").with("fc", "Linear"));
      assertThatThrownBy(() -> quantizer.quantize(prepared))
          .isInstanceOf(UnsupportedOperationException.class);
      return loaderLeft();
    }
  }

  @Test
  void is_collected_once_the_entry_point_is_closed_even_while_that_is_still_held()
      throws Exception {
    backend("test.One", leavingItsLoader("test.One", "one"))
        .write(plugins.resolve("one").resolve("one.jar"));
    Kvant kvant = kvant();

    Reference<?> loader = loaderOfWhatWasUsed(kvant);

    for (int i = 0; i < 100 && loader.get() != null; i++) {
      System.gc();
      Thread.sleep(20);
    }
    assertThat(loader.get()).isNull();
    assertThatThrownBy(kvant::backends).hasMessage("this Kvant is closed");
  }

  /** A plugin with an engine of its own, in an application that may have one too. */
  private Class<?> engineOfPlugin(String engine, List<String> inApplication) throws Exception {
    JarBuilder application = new JarBuilder();
    for (String type : inApplication) {
      application.source(type, emptyClass(type));
    }
    Path applicationJar = application.write(plugins.resolve("application.jar"));
    Path jar = new JarBuilder().source(engine, emptyClass(engine)).write(plugins.resolve("p.jar"));
    try (URLClassLoader parent =
            new URLClassLoader("application", new URL[] {applicationJar.toUri().toURL()}, null);
        PluginClassLoader loader =
            new PluginClassLoader(
                new PluginFolder("p", plugins, List.of(jar), null, List.of()),
                parent,
                null,
                List.of())) {
      return loader.loadClass(engine);
    }
  }

  private static String emptyClass(String name) {
    int dot = name.lastIndexOf('.');
    return "package %s; public class %s {}"
        .formatted(name.substring(0, dot), name.substring(dot + 1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ai.onnxruntime.OrtEnvironment", "ai.djl.pytorch.engine.PtEngine"})
  void takes_an_engine_that_the_application_has_instead_of_its_own(String engine) throws Exception {
    assertThat(engineOfPlugin(engine, List.of(engine)).getClassLoader().getName())
        .isEqualTo("application");
  }

  @Test
  void keeps_its_engine_where_the_application_has_only_parts_of_one() throws Exception {
    assertThat(
            engineOfPlugin("ai.djl.Model", List.of("ai.djl.Model", "ai.djl.mxnet.MxEngine"))
                .getClassLoader()
                .getName())
        .isEqualTo("plugin p");
  }

  @Test
  void of_a_name_that_another_has_is_refused() throws IOException {
    Path others = plugins.resolveSibling("others");
    for (Path root : List.of(plugins, others)) {
      backend("test.One", BackendSource.of("test.One", "one"))
          .write(root.resolve("one").resolve("one.jar"));
    }
    try (Kvant kvant =
        Kvant.builder()
            .withoutDiscovery()
            .pluginDirectory(plugins)
            .pluginDirectory(others)
            .build()) {
      assertThatThrownBy(kvant::backends)
          .isInstanceOf(DiscoveryException.class)
          .hasMessageStartingWith("two plugins are named 'one'");
    }
  }

  @Test
  void is_not_looked_for_in_a_folder_that_is_not_there() {
    try (Kvant kvant =
        Kvant.builder().withoutDiscovery().pluginDirectory(plugins.resolve("none")).build()) {
      assertThatThrownBy(kvant::backends)
          .isInstanceOf(DiscoveryException.class)
          .hasMessage("the plugin folder " + plugins.resolve("none") + " does not exist");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"parnet=torch", "Parent=torch", "parent.name=torch"})
  void whose_properties_have_an_unknown_key_cannot_be_used_and_others_can(String line)
      throws IOException {
    for (String name : List.of("one", "two")) {
      backend("test.One", BackendSource.of("test.One", name))
          .write(plugins.resolve(name).resolve("one.jar"));
    }
    Files.writeString(plugins.resolve("two").resolve("plugin.properties"), line);

    try (Kvant kvant = kvant()) {
      assertThat(ids(kvant)).containsExactly("one");
      assertThat(kvant.backends().broken())
          .extracting(BrokenProvider::toString)
          .containsExactly(
              "two (%s): plugin.properties: the key '%s' is unknown; did you mean 'parent'?"
                  .formatted(plugins.resolve("two"), line.replace("=torch", "")));
    }
  }

  @Test
  void is_no_jar_that_lies_loose_and_is_told_where_to_put_it() throws IOException {
    Path loose =
        backend("test.One", BackendSource.of("test.One", "one")).write(plugins.resolve("one.jar"));

    try (Kvant kvant = kvant()) {
      assertThat(ids(kvant)).isEmpty();
      assertThat(kvant.backends().remarks())
          .containsExactly(
              "%s is not used: a plugin is a folder of jars; move it to %s"
                  .formatted(loose, plugins.resolve("one").resolve("one.jar")));
    }
  }

  /** A plugin with a library, and a backend in another that uses it and forgot to say so. */
  private void writeOrphan(String constructor) throws IOException {
    Path library =
        new JarBuilder()
            .source(
                "lib.Library",
                "package lib; public class Library { public static String name() { return \"\"; } }")
            .source("test.Parent", BackendSource.of("test.Parent", "parent"))
            .service(QuantizationBackend.class, "test.Parent")
            .write(plugins.resolve("parent").resolve("lib.jar"));
    backend(
            "test.Orphan",
            BackendSource.doing("test.Orphan", "orphan", constructor, "")
                .replace("return Support.yes();", "lib.Library.name(); return Support.yes();"))
        .against(library)
        .write(plugins.resolve("orphan").resolve("orphan.jar"));
  }

  private String missingLibrary() {
    return "class lib.Library is not there, plugin 'parent' has it: write parent=parent into "
        + plugins.resolve("orphan").resolve("plugin.properties");
  }

  @Test
  void that_forgot_its_parent_is_told_so_when_its_backend_is_made() throws IOException {
    writeOrphan("lib.Library.name();");

    try (Kvant kvant = kvant()) {
      assertThat(ids(kvant)).containsExactly("parent");
      assertThat(kvant.backends().broken())
          .extracting(BrokenProvider::reason)
          .containsExactly(missingLibrary());
    }
  }

  @Test
  void that_forgot_its_parent_is_told_so_when_its_backend_works() throws IOException {
    writeOrphan("");
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder().backend("orphan").layer("Linear", Dtype.INT8).build();

    try (Kvant kvant = kvant();
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      assertThatThrownBy(
              () -> quantizer.prepare(new FakeModel().format("any").with("fc", "Linear")))
          .isInstanceOf(ProviderException.class)
          .hasMessage(
              "backend test.Orphan (%s): supports() for the weights of module 'fc' failed: %s"
                  .formatted(plugins.resolve("orphan").resolve("orphan.jar"), missingLibrary()));
    }
  }

  private Path library(Path jar, String version) throws IOException {
    return new JarBuilder()
        .source(
            "lib.Library",
            "package lib; public class Library { public static String version() { return \"%s\"; } }"
                .formatted(version))
        .write(jar);
  }

  /** A parent and a child that have a library in different versions, and tell which they use. */
  private void writeVersions(String parentProperties) throws IOException {
    for (String name : List.of("child", "parent")) {
      Path folder = plugins.resolve(name);
      Path library = library(folder.resolve("lib.jar"), name + "'s");
      backend("test." + name, described("test." + name, name, "lib.Library.version()"))
          .against(library)
          .write(folder.resolve(name + ".jar"));
    }
    Files.writeString(plugins.resolve("child").resolve("plugin.properties"), "parent=parent");
    Files.writeString(plugins.resolve("parent").resolve("plugin.properties"), parentProperties);
  }

  @Test
  void uses_its_own_version_of_a_library_beside_its_parents() throws IOException {
    writeVersions("");

    try (Kvant kvant = kvant()) {
      assertThat(descriptions(kvant)).containsExactly("child's", "parent's");
      assertThat(kvant.backends().remarks()).isEmpty();
    }
  }

  @Test
  void uses_its_parents_version_of_a_package_that_the_parent_shares_and_is_told_so()
      throws IOException {
    writeVersions("shares=other, lib");

    try (Kvant kvant = kvant()) {
      assertThat(descriptions(kvant)).containsExactly("parent's", "parent's");
      assertThat(kvant.backends().remarks())
          .containsExactly(
              "plugin 'child' has another version of lib.Library in %s; it is not used, that of its parent 'parent' in %s is. Give that dependency the scope 'provided'"
                  .formatted(
                      plugins.resolve("child").resolve("lib.jar"),
                      plugins.resolve("parent").resolve("lib.jar")));
    }
  }

  @Test
  void uses_its_parents_version_of_what_stands_in_a_jar_with_a_provider() throws IOException {
    writeFamily();
    new JarBuilder()
        .source("lib.Shared", "package lib; public class Shared { int other; }")
        .write(plugins.resolve("a-child").resolve("lib.jar"));

    try (Kvant kvant = kvant()) {
      assertThat(descriptions(kvant).get(0)).isEqualTo(descriptions(kvant).get(2));
      assertThat(kvant.backends().remarks())
          .singleElement()
          .asString()
          .startsWith("plugin 'a-child' has another version of lib.Shared in ");
    }
  }

  @Test
  void is_listed_with_its_parent_and_all_that_it_offers() throws IOException {
    writeFamily();
    Path one = plugins.resolve("one");
    Path jar =
        new JarBuilder()
            .source(
                "test.Format",
                """
                package test;
                public class Format implements dev.kvant.spi.ModelFormat, dev.kvant.spi.ModelRunnerProvider,
                    dev.kvant.spi.ModelSource {
                  public java.util.List<String> ids() { return java.util.List.of("f", "g"); }
                  public java.util.List<String> formats() { return ids(); }
                  public boolean recognizes(java.nio.file.Path path) { return false; }
                  public dev.kvant.api.QuantizableModel open(java.nio.file.Path path) { return null; }
                  public dev.kvant.spi.ModelRunner open(java.nio.file.Path p, dev.kvant.api.Device d) { return null; }
                  public java.util.Optional<java.nio.file.Path> locate(Object model) { return null; }
                }
                """)
            .source(
                "test.Rows",
                """
                package test;
                public class Rows implements dev.kvant.spi.DataReaderProvider {
                  public dev.kvant.spi.DataReaderDescriptor descriptor() {
                    return new dev.kvant.spi.DataReaderDescriptor("rows", "Reads rows.", java.util.List.of());
                  }
                  public boolean recognizes(java.nio.file.Path path) { return false; }
                  public dev.kvant.spi.DataReader open(dev.kvant.spi.DataRequest request) { return null; }
                }
                """)
            .service(ModelFormat.class, "test.Format")
            .service(ModelRunnerProvider.class, "test.Format")
            .service(ModelSource.class, "test.Format")
            .service(DataReaderProvider.class, "test.Rows")
            .write(one.resolve("one.jar"));

    try (Kvant kvant = kvant()) {
      Installation installed = kvant.backends();
      assertThat(installed.plugins())
          .containsExactly(
              new InstalledPlugin("a-child", plugins.resolve("a-child").toString(), "parent"),
              new InstalledPlugin("one", one.toString(), null),
              new InstalledPlugin("parent", plugins.resolve("parent").toString(), null),
              new InstalledPlugin("z-child", plugins.resolve("z-child").toString(), "parent"));
      assertThat(installed.providers())
          .filteredOn(provider -> provider.plugin() != null)
          .extracting(
              InstalledProvider::service,
              InstalledProvider::plugin,
              InstalledProvider::ids,
              InstalledProvider::provider,
              InstalledProvider::location)
          .contains(
              tuple(
                  Service.BACKEND,
                  "a-child",
                  List.of("a-child"),
                  "test.Child",
                  plugins.resolve("a-child").resolve("child.jar").toString()),
              tuple(Service.FORMAT, "one", List.of("f", "g"), "test.Format", jar.toString()),
              tuple(Service.RUNNER, "one", List.of("f", "g"), "test.Format", jar.toString()),
              tuple(Service.SOURCE, "one", List.of(), "test.Format", jar.toString()),
              tuple(Service.DATA_READER, "one", List.of("rows"), "test.Rows", jar.toString()))
          .hasSize(7);
    }
  }
}
