package dev.kvant.runtime.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.kvant.api.DiscoveryException;
import dev.kvant.api.Dtype;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.ProviderException;
import dev.kvant.api.UnavailableException;
import dev.kvant.runtime.FakeBackend;
import dev.kvant.runtime.FakeModel;
import dev.kvant.runtime.Kvant;
import dev.kvant.spi.Availability;
import dev.kvant.spi.ModelFormat;
import dev.kvant.spi.ModelRunnerProvider;
import dev.kvant.spi.QuantizationBackend;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Discovery on class loaders")
class DiscoveryTest {

  private static final String CREATED = "kvant.test.created";

  @TempDir private Path folder;
  private final List<URLClassLoader> loaders = new ArrayList<>();

  @AfterEach
  void closeLoaders() throws IOException {
    for (URLClassLoader loader : loaders) {
      loader.close();
    }
    System.clearProperty(CREATED);
  }

  private URLClassLoader loader(Path... jars) throws IOException {
    URL[] urls = new URL[jars.length];
    for (int i = 0; i < jars.length; i++) {
      urls[i] = jars[i].toUri().toURL();
    }
    URLClassLoader loader = new URLClassLoader(urls, DiscoveryTest.class.getClassLoader());
    loaders.add(loader);
    return loader;
  }

  /** A jar with one backend. */
  private Path jar(String name, String className, String source) throws IOException {
    return new JarBuilder()
        .source(className, source)
        .service(QuantizationBackend.class, className)
        .write(folder.resolve(name));
  }

  private Path working(String name, String className, String id, String... aliases)
      throws IOException {
    return jar(name, className, BackendSource.of(className, id, aliases));
  }

  private static ModelQuantizationConfig config(String backend) {
    return ModelQuantizationConfig.builder().backend(backend).layer("*", Dtype.INT8).build();
  }

  private static void with(ClassLoader loader, Consumer<Kvant> action) {
    try (Kvant kvant = Kvant.builder().classLoader(loader).build()) {
      action.accept(kvant);
    }
  }

  private static List<String> ids(Kvant kvant) {
    return kvant.backends().backends().stream().map(backend -> backend.descriptor().id()).toList();
  }

  @Test
  void lists_backends_with_class_jar_and_availability() throws IOException {
    Path one = working("one.jar", "test.One", "one");
    Path two =
        jar(
            "two.jar",
            "test.Two",
            BackendSource.doing(
                "test.Two",
                "two",
                "",
                "public Availability availability() { return Availability.unavailable(\"no luck\"); }"));

    with(
        loader(two, one),
        kvant -> {
          Installation installed = kvant.backends();
          assertThat(installed.backends())
              .extracting(
                  backend -> backend.descriptor().id(),
                  InstalledBackend::provider,
                  InstalledBackend::location,
                  InstalledBackend::availability)
              .containsExactly(
                  tuple("one", "test.One", one.toString(), Availability.available()),
                  tuple("two", "test.Two", two.toString(), Availability.unavailable("no luck")));
          assertThat(installed.broken()).isEmpty();
          assertThat(installed.conflicts()).isEmpty();
          assertThat(installed.remarks()).isEmpty();
        });
  }

  @Test
  void finds_a_backend_by_id_or_alias_in_any_case() throws IOException {
    with(
        loader(working("one.jar", "test.One", "one", "one.alias")),
        kvant -> {
          for (String name : List.of("one", "ONE", " One ", "one.Alias")) {
            try (ModelQuantizer quantizer = kvant.quantizer(config(name))) {
              assertThat(quantizer.config().backend()).isEqualTo("one");
            }
          }
        });
  }

  @Test
  void goes_on_after_a_constructor_that_fails() throws IOException {
    Path broken =
        jar(
            "broken.jar",
            "test.Broken",
            BackendSource.doing(
                "test.Broken", "broken", "throw new IllegalStateException(\"boom\");", ""));

    with(
        loader(broken, working("one.jar", "test.One", "one")),
        kvant -> {
          assertThat(ids(kvant)).containsExactly("one");
          assertThat(kvant.backends().broken())
              .singleElement()
              .satisfies(
                  one -> {
                    assertThat(one.service()).isEqualTo("QuantizationBackend");
                    assertThat(one.provider()).isEqualTo("test.Broken");
                    assertThat(one.location()).isEqualTo(broken.toString());
                    assertThat(one.reason()).isEqualTo("IllegalStateException: boom");
                    assertThat(one.cause()).hasRootCauseMessage("boom");
                  });
        });
  }

  @Test
  void goes_on_after_a_provider_whose_superclass_is_missing() throws IOException {
    Path broken =
        new JarBuilder()
            .source("test.Base", BackendSource.of("test.Base", "broken"))
            .source("test.Broken", "package test; public class Broken extends Base {}")
            .without("test.Base")
            .service(QuantizationBackend.class, "test.Broken")
            .write(folder.resolve("broken.jar"));

    with(
        loader(broken, working("one.jar", "test.One", "one")),
        kvant -> {
          assertThat(ids(kvant)).containsExactly("one");
          assertThat(kvant.backends().broken())
              .extracting(BrokenProvider::toString)
              .containsExactly(
                  "test.Broken ("
                      + broken
                      + "): class test.Base is not there, a jar must be missing");
        });
  }

  @Test
  void goes_on_after_a_constructor_that_needs_a_missing_class() throws IOException {
    Path broken =
        new JarBuilder()
            .source("test.Needed", "package test; public class Needed {}")
            .source(
                "test.Broken",
                BackendSource.doing("test.Broken", "broken", "new Needed().hashCode();", ""))
            .without("test.Needed")
            .service(QuantizationBackend.class, "test.Broken")
            .write(folder.resolve("broken.jar"));

    with(
        loader(broken, working("one.jar", "test.One", "one")),
        kvant -> {
          assertThat(ids(kvant)).containsExactly("one");
          assertThat(kvant.backends().broken())
              .extracting(BrokenProvider::reason)
              .containsExactly("class test.Needed is not there, a jar must be missing");
        });
  }

  @Test
  void goes_on_after_a_services_file_that_names_what_is_not_there_or_is_no_backend()
      throws IOException {
    Path broken =
        new JarBuilder()
            .source("test.Stranger", "package test; public class Stranger {}")
            .source("test.Last", BackendSource.of("test.Last", "last"))
            .service(
                QuantizationBackend.class,
                "# a comment",
                "test.Absent # is not in the jar",
                "test.Stranger",
                "test.Last")
            .write(folder.resolve("broken.jar"));

    with(
        loader(broken),
        kvant -> {
          assertThat(ids(kvant)).containsExactly("last");
          assertThat(kvant.backends().broken())
              .extracting(BrokenProvider::provider, BrokenProvider::location)
              .containsExactly(
                  tuple("test.Absent", broken.toString()),
                  tuple("test.Stranger", broken.toString()));
        });
  }

  @Test
  void goes_on_after_a_services_file_that_is_no_services_file() throws IOException {
    Path broken =
        new JarBuilder()
            .service(QuantizationBackend.class, "this is not a class name")
            .write(folder.resolve("broken.jar"));

    with(
        loader(broken, working("one.jar", "test.One", "one")),
        kvant -> {
          assertThat(ids(kvant)).containsExactly("one");
          assertThat(kvant.backends().broken())
              .singleElement()
              .satisfies(one -> assertThat(one.reason()).contains("Illegal"));
        });
  }

  @Test
  void goes_on_after_a_backend_that_cannot_describe_itself() throws IOException {
    Path broken = jar("broken.jar", "test.Broken", BackendSource.of("test.Broken", "Not An Id"));

    with(
        loader(broken, working("one.jar", "test.One", "one")),
        kvant -> {
          assertThat(ids(kvant)).containsExactly("one");
          assertThat(kvant.backends().broken())
              .singleElement()
              .satisfies(one -> assertThat(one.reason()).startsWith("it cannot describe itself"));
        });
  }

  @Test
  void refuses_a_name_that_two_backends_claim_and_no_other() throws IOException {
    Path one = working("one.jar", "test.One", "same");
    Path two = working("two.jar", "test.Two", "same");
    Path three = working("three.jar", "test.Three", "three");

    with(
        loader(one, two, three),
        kvant -> {
          String conflict =
              "2 backends claim 'same': test.One (%s) and test.Two (%s); remove all but one"
                  .formatted(one, two);
          assertThatThrownBy(() -> kvant.quantizer(config("same")))
              .isInstanceOf(DiscoveryException.class)
              .hasMessage(conflict);
          assertThat(ids(kvant)).containsExactly("same", "same", "three");
          assertThat(kvant.backends().conflicts()).containsExactly(conflict);
          kvant.quantizer(config("three")).close();
        });
  }

  @Test
  void takes_an_id_before_an_alias_and_remarks_on_the_alias() throws IOException {
    Path one = working("one.jar", "test.One", "one", "Two");
    Path two = working("two.jar", "test.Two", "two");

    with(
        loader(one, two),
        kvant -> {
          for (String name : List.of("one", "two")) {
            try (ModelQuantizer quantizer = kvant.quantizer(config(name))) {
              assertThat(quantizer.config().backend()).isEqualTo(name);
            }
          }
          assertThat(kvant.backends().conflicts()).isEmpty();
          assertThat(kvant.backends().remarks())
              .containsExactly(
                  "'two' is an alias of test.One (%s) and the id of test.Two (%s); it means the latter"
                      .formatted(one, two));
        });
  }

  @Test
  void refuses_an_alias_that_two_backends_claim_and_takes_both_by_their_ids() throws IOException {
    with(
        loader(
            working("one.jar", "test.One", "one", "x"), working("two.jar", "test.Two", "two", "x")),
        kvant -> {
          assertThatThrownBy(() -> kvant.quantizer(config("x")))
              .isInstanceOf(DiscoveryException.class)
              .hasMessageContaining("2 backends claim 'x'");
          assertThat(kvant.backends().conflicts()).hasSize(1);
          kvant.quantizer(config("one")).close();
          kvant.quantizer(config("two")).close();
        });
  }

  /** A backend whose method gives null. */
  private Path without(String jar, String className, String id, String method) throws IOException {
    return jar(
        jar,
        className,
        BackendSource.of(className, id)
            .replace(
                "public %s {".formatted(method),
                "public %s { if (true) return null; ".formatted(method)));
  }

  @Test
  void goes_on_after_a_backend_whose_descriptor_is_null() throws IOException {
    Path broken = without("broken.jar", "test.Broken", "broken", "BackendDescriptor descriptor()");

    with(
        loader(broken, working("one.jar", "test.One", "one")),
        kvant -> {
          assertThat(ids(kvant)).containsExactly("one");
          kvant.quantizer(config("one")).close();
          assertThat(kvant.backends().broken())
              .extracting(BrokenProvider::toString)
              .containsExactly(
                  "test.Broken (%s): it cannot describe itself: descriptor() returned null"
                      .formatted(broken));
        });
  }

  @Test
  void takes_a_backend_whose_availability_is_null_for_one_that_cannot_work() throws IOException {
    Path broken =
        jar(
            "broken.jar",
            "test.Broken",
            BackendSource.doing(
                "test.Broken",
                "broken",
                "",
                "public Availability availability() { return null; }"));

    with(
        loader(broken),
        kvant ->
            assertThatThrownBy(() -> kvant.quantizer(config("broken")))
                .isInstanceOf(UnavailableException.class)
                .hasMessage(
                    "backend 'broken' cannot work here: backend test.Broken (%s): availability()"
                            .formatted(broken)
                        + " returned null"));
  }

  @Test
  void names_the_jar_of_a_backend_that_prepares_no_model() throws IOException {
    Path broken =
        jar(
            "broken.jar",
            "test.Broken",
            BackendSource.of("test.Broken", "broken")
                .replace(
                    "public BackendDescriptor descriptor()",
                    "public dev.kvant.api.QuantizableModel prepare("
                        + "dev.kvant.api.QuantizableModel model, dev.kvant.spi.RunContext context)"
                        + " { return null; } public BackendDescriptor descriptor()"));

    with(
        loader(broken),
        kvant -> {
          try (ModelQuantizer quantizer = kvant.quantizer(config("broken"))) {
            assertThatThrownBy(
                    () -> quantizer.prepare(new FakeModel().format("any").with("fc1", "Linear")))
                .isInstanceOf(ProviderException.class)
                .hasMessage("backend test.Broken (%s): prepare() returned null".formatted(broken));
          }
        });
  }

  @Test
  void names_backend_jar_and_module_where_nothing_is_said_of_a_module() throws IOException {
    Path broken =
        without("broken.jar", "test.Broken", "broken", "Support supports(SupportQuery query)");

    with(
        loader(broken),
        kvant -> {
          try (ModelQuantizer quantizer = kvant.quantizer(config("broken"))) {
            assertThatThrownBy(
                    () -> quantizer.prepare(new FakeModel().format("any").with("fc1", "Linear")))
                .isInstanceOf(ProviderException.class)
                .hasMessage(
                    "backend test.Broken (%s): supports() for the weights of module 'fc1' returned null"
                        .formatted(broken));
          }
        });
  }

  @Test
  void goes_on_after_a_format_or_runner_that_cannot_name_what_it_is_for() throws IOException {
    Path broken =
        new JarBuilder()
            .source(
                "test.Format",
                """
                package test;
                public class Format implements dev.kvant.spi.ModelFormat {
                  public java.util.List<String> ids() { return null; }
                  public boolean recognizes(java.nio.file.Path path) { return true; }
                  public dev.kvant.api.QuantizableModel open(java.nio.file.Path path) { return null; }
                }
                """)
            .source(
                "test.Runner",
                """
                package test;
                public class Runner implements dev.kvant.spi.ModelRunnerProvider {
                  public java.util.List<String> formats() { return java.util.Arrays.asList("x", null); }
                  public dev.kvant.spi.ModelRunner open(java.nio.file.Path p, dev.kvant.api.Device d) { return null; }
                }
                """)
            .service(ModelFormat.class, "test.Format")
            .service(ModelRunnerProvider.class, "test.Runner")
            .write(folder.resolve("broken.jar"));

    with(
        loader(broken, working("one.jar", "test.One", "one")),
        kvant -> {
          assertThat(ids(kvant)).containsExactly("one");
          assertThat(kvant.backends().broken())
              .extracting(
                  BrokenProvider::provider, BrokenProvider::location, BrokenProvider::reason)
              .containsExactly(
                  tuple(
                      "test.Format",
                      broken.toString(),
                      "it cannot describe itself: ids() returned null"),
                  tuple(
                      "test.Runner",
                      broken.toString(),
                      "it cannot describe itself: formats() returned a list that contains null"));
        });
  }

  @Test
  void answers_an_unknown_name_with_all_that_is_installed_and_all_that_is_broken()
      throws IOException {
    Path unavailable =
        jar(
            "u.jar",
            "test.Unavailable",
            BackendSource.doing(
                "test.Unavailable",
                "unavailable",
                "",
                "public Availability availability() { return Availability.unavailable(\"no driver\"); }"));
    Path broken =
        jar(
            "broken.jar",
            "test.Broken",
            BackendSource.doing("test.Broken", "b", "int x = 1 / 0;", ""));

    with(
        loader(working("one.jar", "test.One", "one"), unavailable, broken),
        kvant ->
            assertThatThrownBy(() -> kvant.quantizer(config("torchao")))
                .isInstanceOf(InvalidConfigurationException.class)
                .hasMessage(
                    "quantize.backend: no backend 'torchao' is installed; installed: one,"
                        + " unavailable (unavailable: no driver); broken: test.Broken ("
                        + broken
                        + "): ArithmeticException: / by zero. Put its jar on the class path or into"
                        + " the plugin folder; in a fat jar, merge the files of META-INF/services"
                        + " instead of keeping one"));
  }

  @Test
  void refuses_to_work_with_a_backend_that_cannot_and_says_why() throws IOException {
    Path unavailable =
        jar(
            "u.jar",
            "test.Unavailable",
            BackendSource.doing(
                "test.Unavailable",
                "unavailable",
                "",
                "public Availability availability() { throw new UnsatisfiedLinkError(\"libx\"); }"));

    with(
        loader(unavailable),
        kvant ->
            assertThatThrownBy(() -> kvant.quantizer(config("unavailable")))
                .isInstanceOf(UnavailableException.class)
                .hasMessage(
                    "backend 'unavailable' cannot work here: backend test.Unavailable (%s):"
                            .formatted(unavailable)
                        + " availability() failed: UnsatisfiedLinkError: libx"));
  }

  @Test
  void misses_what_a_fat_jar_lost_and_says_how_that_happens() throws IOException {
    // Two jars were poured into one, and the second's services file fell on the first's.
    Path fat =
        new JarBuilder()
            .source("test.One", BackendSource.of("test.One", "one"))
            .source("test.Two", BackendSource.of("test.Two", "two"))
            .service(QuantizationBackend.class, "test.Two")
            .write(folder.resolve("fat.jar"));

    with(
        loader(fat),
        kvant ->
            assertThatThrownBy(() -> kvant.quantizer(config("one")))
                .isInstanceOf(InvalidConfigurationException.class)
                .hasMessageContaining("no backend 'one' is installed; installed: two")
                .hasMessageContaining("in a fat jar, merge the files of META-INF/services"));
  }

  @Test
  void creates_nothing_before_it_is_asked_for() throws IOException {
    Path jar =
        jar(
            "one.jar",
            "test.One",
            BackendSource.doing(
                "test.One", "one", "System.setProperty(\"" + CREATED + "\", \"yes\");", ""));
    Path model = Files.writeString(folder.resolve("model"), "nothing known");

    with(
        loader(jar),
        kvant -> {
          assertThatThrownBy(() -> kvant.load(model)).hasMessageContaining("is not a model");
          assertThat(System.getProperty(CREATED)).isNull();
          kvant.backends();
          assertThat(System.getProperty(CREATED)).isEqualTo("yes");
        });
  }

  @Test
  void does_not_look_at_the_threads_context_class_loader() throws IOException {
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    Thread.currentThread().setContextClassLoader(loader(working("one.jar", "test.One", "one")));
    try (Kvant kvant = Kvant.create()) {
      assertThat(ids(kvant)).doesNotContain("one");
    } finally {
      Thread.currentThread().setContextClassLoader(before);
    }
  }

  @Test
  void shows_a_provider_once_that_several_loaders_see() throws IOException {
    URLClassLoader parent = loader(working("one.jar", "test.One", "one"));
    try (URLClassLoader child = new URLClassLoader(new URL[0], parent);
        Kvant kvant = Kvant.builder().classLoader(parent).classLoader(child).build()) {
      assertThat(ids(kvant)).containsExactly("one");
      assertThat(kvant.backends().conflicts()).isEmpty();
    }
  }

  @Test
  void takes_an_instance_instead_of_making_another_of_its_class() throws Exception {
    URLClassLoader loader = loader(working("one.jar", "test.One", "one"));
    QuantizationBackend given =
        (QuantizationBackend) loader.loadClass("test.One").getConstructor().newInstance();
    try (Kvant kvant = Kvant.builder().classLoader(loader).backend(given).build()) {
      assertThat(ids(kvant)).containsExactly("one");
    }
  }

  @Test
  void can_be_left_out() throws IOException {
    try (Kvant kvant =
        Kvant.builder().withoutDiscovery().backend(FakeBackend.weightOnly("fake")).build()) {
      assertThat(ids(kvant)).containsExactly("fake");
    }
  }

  @Test
  void is_over_when_it_is_closed() {
    Kvant kvant = Kvant.create();
    kvant.close();
    kvant.close();
    assertThatThrownBy(kvant::backends)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("this Kvant is closed");
  }
}
