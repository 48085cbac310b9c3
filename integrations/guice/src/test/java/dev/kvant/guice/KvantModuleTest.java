package dev.kvant.guice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.inject.AbstractModule;
import com.google.inject.CreationException;
import com.google.inject.Guice;
import com.google.inject.Injector;
import com.google.inject.Module;
import com.google.inject.ProvisionException;
import com.google.inject.multibindings.Multibinder;
import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.DataException;
import dev.kvant.api.Device;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.Progress;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnavailableException;
import dev.kvant.runtime.Kvant;
import dev.kvant.spi.Availability;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.DataReaderDescriptor;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.DataRequest;
import dev.kvant.spi.ModelFormat;
import dev.kvant.spi.ModelRunner;
import dev.kvant.spi.ModelRunnerProvider;
import dev.kvant.spi.ModelSource;
import dev.kvant.spi.QuantizationBackend;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KvantModuleTest {

  private static final ModelQuantizationConfig CONFIG =
      ModelQuantizationConfig.builder().backend("stub").layer("Linear", Dtype.INT8).build();

  @TempDir Path folder;

  /** Contributes a backend that has dependencies of its own. */
  private static final Module BACKEND =
      binder -> {
        binder
            .bind(StubBackend.StubSettings.class)
            .toInstance(new StubBackend.StubSettings("stub"));
        Multibinder.newSetBinder(binder, QuantizationBackend.class)
            .addBinding()
            .to(StubBackend.class);
      };

  private static final Module FORMAT =
      binder ->
          Multibinder.newSetBinder(binder, ModelFormat.class)
              .addBinding()
              .to(StubModel.Format.class);

  /** Somewhere in the application. */
  private static final class Service {
    private final Kvant kvant;

    @Inject
    Service(Kvant kvant) {
      this.kvant = kvant;
    }
  }

  @Test
  void kvant_is_injected_as_one_instance() {
    Injector injector = Guice.createInjector(new KvantModule());
    try (KvantLifetime lifetime = injector.getInstance(KvantLifetime.class)) {
      Kvant kvant = injector.getInstance(Kvant.class);
      assertThat(injector.getInstance(Service.class).kvant).isSameAs(kvant);
      assertThat(injector.getInstance(KvantLifetime.class)).isSameAs(lifetime);
    }
  }

  @Test
  void a_contributed_backend_is_made_by_guice_and_installed() {
    Injector injector = Guice.createInjector(new KvantModule(), BACKEND);
    try (Kvant kvant = injector.getInstance(Kvant.class)) {
      assertThat(kvant.backends().backends())
          .extracting(backend -> backend.descriptor().id())
          .containsExactly("stub");
    }
  }

  @Test
  void a_contributed_format_opens_models() throws IOException {
    Path file = Files.writeString(folder.resolve("model"), "anything");
    Injector injector = Guice.createInjector(new KvantModule(), FORMAT);
    try (Kvant kvant = injector.getInstance(Kvant.class);
        QuantizableModel model = kvant.load(file)) {
      assertThat(model.format()).isEqualTo("stub");
    }
  }

  @Test
  void a_contributed_source_finds_the_file_behind_an_object() throws IOException {
    Path file = Files.writeString(folder.resolve("model"), "anything");
    ModelSource source = model -> Optional.of(file);
    Module sources =
        binder ->
            Multibinder.newSetBinder(binder, ModelSource.class).addBinding().toInstance(source);
    Injector injector = Guice.createInjector(new KvantModule(), FORMAT, sources);
    try (Kvant kvant = injector.getInstance(Kvant.class);
        QuantizableModel model = kvant.load(new Object())) {
      assertThat(model.source()).isEqualTo(file);
    }
  }

  @Test
  void a_contributed_runner_is_asked_to_run_models() throws IOException {
    Path file = Files.writeString(folder.resolve("model"), "anything");
    Module runners =
        binder ->
            Multibinder.newSetBinder(binder, ModelRunnerProvider.class)
                .addBinding()
                .toInstance(new TiredRunner());
    Injector injector = Guice.createInjector(new KvantModule(), FORMAT, runners);
    try (Kvant kvant = injector.getInstance(Kvant.class)) {
      assertThatThrownBy(() -> kvant.runner(file, Device.CPU))
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("it is tired");
    }
  }

  @Test
  void a_contributed_data_reader_reads_calibration_data() {
    Module readers =
        binder ->
            Multibinder.newSetBinder(binder, DataReaderProvider.class)
                .addBinding()
                .toInstance(new TiredReader());
    Injector injector = Guice.createInjector(new KvantModule(), readers);
    try (Kvant kvant = injector.getInstance(Kvant.class)) {
      CalibrationDataset data =
          kvant.calibrationData(
              CalibrationConfig.builder(folder).reader("tired").build(), new StubModel(folder));
      assertThatThrownBy(() -> data.iterator().hasNext())
          .isInstanceOf(DataException.class)
          .hasMessageContaining("it is tired");
    }
  }

  @Test
  void all_contributed_listeners_hear() {
    List<Progress> first = new ArrayList<>();
    List<Progress> second = new ArrayList<>();
    Module listeners =
        binder -> {
          var set = Multibinder.newSetBinder(binder, QuantizationListener.class);
          set.addBinding().toInstance(into(first));
          set.addBinding().toInstance(into(second));
        };
    Injector injector = Guice.createInjector(new KvantModule(), BACKEND, listeners);
    try (Kvant kvant = injector.getInstance(Kvant.class);
        ModelQuantizer quantizer = kvant.quantizer(CONFIG)) {
      quantizer.calibrate(
          quantizer.prepare(new StubModel(folder)),
          CalibrationDataset.of(List.of(TensorBatch.of(Tensor.ofFloats(new float[] {1}, 1)))));
    }
    assertThat(first).isNotEmpty().isEqualTo(second);
  }

  @Test
  void a_contributed_plugin_folder_is_looked_into() throws IOException {
    Files.createDirectories(folder.resolve("empty-plugin"));
    Module plugins =
        binder ->
            Multibinder.newSetBinder(binder, Path.class, PluginDirectory.class)
                .addBinding()
                .toInstance(folder);
    Injector injector = Guice.createInjector(new KvantModule(), plugins);
    try (Kvant kvant = injector.getInstance(Kvant.class)) {
      assertThat(kvant.backends().remarks())
          .singleElement()
          .asString()
          .contains("plugin 'empty-plugin' has no jars");
    }
  }

  @Test
  void a_customizer_has_the_last_word_on_the_builder() {
    Injector injector =
        Guice.createInjector(
            new KvantModule(
                builder ->
                    builder.withoutDiscovery().pluginDirectory(folder.resolve("not there"))));
    try (Kvant kvant = injector.getInstance(Kvant.class)) {
      assertThatThrownBy(kvant::backends).hasMessageContaining("not there");
    }
  }

  @Test
  void nothing_is_made_before_kvant_is_injected() {
    AtomicInteger built = new AtomicInteger();
    Injector injector =
        Guice.createInjector(new KvantModule(builder -> built.incrementAndGet()), BACKEND);
    assertThat(built).hasValue(0);
    injector.getInstance(Kvant.class).close();
    assertThat(built).hasValue(1);
  }

  @Test
  void the_end_of_the_lifetime_closes_kvant() {
    Injector injector = Guice.createInjector(new KvantModule(), BACKEND);
    Kvant kvant = injector.getInstance(Kvant.class);
    injector.getInstance(KvantLifetime.class).close();
    assertThatThrownBy(kvant::backends)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("this Kvant is closed");
  }

  @Test
  void ending_the_lifetime_twice_is_harmless_and_makes_no_kvant_only_to_close_it() {
    AtomicInteger built = new AtomicInteger();
    Injector injector =
        Guice.createInjector(new KvantModule(builder -> built.incrementAndGet()), BACKEND);
    KvantLifetime lifetime = injector.getInstance(KvantLifetime.class);
    lifetime.close();
    lifetime.close();
    assertThat(built).hasValue(0);
  }

  @Test
  void after_the_lifetime_kvant_is_not_injected_any_more_and_the_error_says_why() {
    Injector injector = Guice.createInjector(new KvantModule());
    injector.getInstance(KvantLifetime.class).close();
    assertThatThrownBy(() -> injector.getInstance(Kvant.class))
        .isInstanceOf(ProvisionException.class)
        .hasMessageContaining("Kvant was closed with its KvantLifetime");
  }

  @Test
  void after_the_lifetime_a_kvant_that_was_injected_before_is_not_injected_again() {
    Injector injector = Guice.createInjector(new KvantModule(), BACKEND);
    injector.getInstance(Service.class);
    injector.getInstance(KvantLifetime.class).close();
    assertThatThrownBy(() -> injector.getInstance(Service.class))
        .isInstanceOf(ProvisionException.class)
        .hasMessageContaining("Kvant was closed with its KvantLifetime");
  }

  /** Contributes to what it needs itself. */
  private static final class Circular implements QuantizationListener {

    @Inject
    @SuppressWarnings("UnusedVariable")
    Circular(Kvant kvant) {}
  }

  @Test
  void a_contribution_that_needs_kvant_itself_is_an_error_that_says_so() {
    Module circular =
        binder ->
            Multibinder.newSetBinder(binder, QuantizationListener.class)
                .addBinding()
                .to(Circular.class);
    Injector injector = Guice.createInjector(new KvantModule(), circular);
    assertThatThrownBy(() -> injector.getInstance(Kvant.class))
        .isInstanceOf(ProvisionException.class)
        .hasMessageContaining("circular dependency");
  }

  @Test
  void contributions_are_made_once_however_often_kvant_is_injected() {
    AtomicInteger built = new AtomicInteger();
    Injector injector =
        Guice.createInjector(new KvantModule(builder -> built.incrementAndGet()), BACKEND);
    try (Kvant kvant = injector.getInstance(Kvant.class)) {
      assertThat(injector.getInstance(Service.class).kvant).isSameAs(kvant);
      assertThat(built).hasValue(1);
    }
  }

  @Test
  void two_injectors_have_a_kvant_each() {
    Injector first = Guice.createInjector(new KvantModule(), BACKEND);
    Injector second = Guice.createInjector(new KvantModule(), BACKEND);
    first.getInstance(Kvant.class);
    try (Kvant kvant = second.getInstance(Kvant.class)) {
      first.getInstance(KvantLifetime.class).close();
      assertThat(kvant.backends().backends()).hasSize(1);
    }
  }

  @Test
  void installing_the_module_twice_is_as_good_as_once() {
    Module application =
        new AbstractModule() {
          @Override
          protected void configure() {
            install(new KvantModule());
            install(new KvantModule());
          }
        };
    assertThat(Guice.createInjector(application).getInstance(Kvant.class)).isNotNull();
  }

  @Test
  void two_different_customizations_in_one_injector_are_an_error() {
    assertThatThrownBy(
            () ->
                Guice.createInjector(
                    new KvantModule(builder -> builder.parallelism(1)),
                    new KvantModule(builder -> builder.parallelism(2))))
        .isInstanceOf(CreationException.class)
        .hasMessageContaining("Kvant was bound multiple times");
  }

  private static QuantizationListener into(List<Progress> list) {
    return new QuantizationListener() {
      @Override
      public void onProgress(Progress progress) {
        list.add(progress);
      }
    };
  }

  private static final class TiredRunner implements ModelRunnerProvider {

    @Override
    public List<String> formats() {
      return List.of("stub");
    }

    @Override
    public Availability availability() {
      return Availability.unavailable("it is tired");
    }

    @Override
    public ModelRunner open(Path model, Device device) {
      throw new AssertionError("it said that it was not available");
    }
  }

  private static final class TiredReader implements DataReaderProvider {

    @Override
    public DataReaderDescriptor descriptor() {
      return new DataReaderDescriptor("tired", "Reads nothing.", List.of());
    }

    @Override
    public boolean recognizes(Path path) {
      return false;
    }

    @Override
    public DataReader open(DataRequest request) {
      throw new DataException("it is tired");
    }
  }
}
