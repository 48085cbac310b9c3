package dev.kvant.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.Artifact;
import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.DataException;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.SavedModel;
import dev.kvant.micrometer.QuantizationMetrics;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.config.ConfigDocument;
import dev.kvant.spi.Availability;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.DataReaderDescriptor;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.DataRequest;
import dev.kvant.spi.QuantizationBackend;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.actuate.autoconfigure.health.HealthContributorAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.health.HealthEndpointAutoConfiguration;
import org.springframework.boot.actuate.health.Health;
import org.springframework.boot.actuate.health.HealthComponent;
import org.springframework.boot.actuate.health.HealthEndpoint;
import org.springframework.boot.actuate.health.HealthIndicator;
import org.springframework.boot.actuate.health.Status;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.support.SpringFactoriesLoader;
import org.springframework.core.io.support.SpringFactoriesLoader.FailureHandler;

@DisplayName("A Spring Boot application with the starter")
class KvantAutoConfigurationTest {

  private static final Path MODEL =
      Path.of("..", "..", "examples", "digits", "models", "resnet.pth");

  @TempDir private Path folder;

  private final ApplicationContextRunner application =
      new ApplicationContextRunner()
          .withConfiguration(
              AutoConfigurations.of(
                  KvantAutoConfiguration.class,
                  KvantHealthAutoConfiguration.class,
                  KvantMetricsAutoConfiguration.class));

  /** An application as people write it. */
  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class DigitsApplication {

    @Bean
    MeterRegistry meters() {
      return new SimpleMeterRegistry();
    }
  }

  @Test
  void quantizes_as_its_properties_say_counts_that_and_is_healthy() throws IOException {
    Files.writeString(
        folder.resolve("application.yaml"),
        """
        management.endpoint.health.show-details: always
        kvant:
          parallelism: 1
          quantize:
            backend: torchao
            mode: weight_only_ptq
            model_path: %s
            results-dir: %s
            layers:
              - moduleName: Linear
                weights: { dtype: int8 }
            skip_names: [ '*.fc' ]
            strict: false
        """
            .formatted(MODEL, folder.resolve("results")));
    SpringApplication digits =
        new SpringApplicationBuilder(DigitsApplication.class)
            .web(WebApplicationType.NONE)
            .properties("spring.config.location=" + folder.toUri())
            .build();

    try (ConfigurableApplicationContext context = digits.run()) {
      Kvant kvant = context.getBean(Kvant.class);
      SavedModel saved = kvant.quantize(context.getBean(ConfigDocument.class));

      assertThat(saved.artifacts())
          .extracting(Artifact::path)
          .allMatch(path -> path.startsWith(folder.resolve("results")) && Files.exists(path));
      assertThat(context.getBean(MeterRegistry.class).get("kvant.steps").timers())
          .extracting(timer -> timer.getId().getTag("step"))
          .containsExactlyInAnyOrder("prepare", "quantize", "save");
      HealthComponent health = context.getBean(HealthEndpoint.class).healthForPath("kvant");
      assertThat(health.getStatus()).isEqualTo(Status.UP);
    }
  }

  @Test
  void has_one_kvant_that_is_closed_with_it() {
    List<Kvant> seen = new ArrayList<>();
    application.run(
        context -> {
          Kvant kvant = context.getBean(Kvant.class);
          assertThat(kvant.backends().backends())
              .extracting(backend -> backend.descriptor().id())
              .contains("torchao");
          seen.add(kvant);
        });

    assertThatThrownBy(() -> seen.get(0).backends())
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("this Kvant is closed");
  }

  @Test
  void keeps_a_kvant_of_its_own() {
    Kvant own = Kvant.create();
    application
        .withBean("own", Kvant.class, () -> own)
        .run(context -> assertThat(context.getBean(Kvant.class)).isSameAs(own));
  }

  @Test
  void contributes_beans_and_customizers() {
    application
        .withPropertyValues("kvant.discovery=false")
        .withBean(QuantizationBackend.class, () -> stub("one"))
        .withBean(KvantCustomizer.class, () -> builder -> builder.backend(stub("two")))
        .run(
            context ->
                assertThat(context.getBean(Kvant.class).backends().backends())
                    .extracting(backend -> backend.descriptor().id())
                    .containsExactly("one", "two"));
  }

  private static StubBackend stub(String id) {
    return new StubBackend(id, Availability.available());
  }

  /** What Spring Boot prints when an application does not start. */
  private static FailureAnalysis analysis(Throwable failure) {
    return SpringFactoriesLoader.forDefaultResourceLocation(
            KvantAutoConfigurationTest.class.getClassLoader())
        .load(FailureAnalyzer.class, FailureHandler.handleMessage((message, failed) -> {}))
        .stream()
        .map(analyzer -> analyzer.analyze(failure))
        .filter(Objects::nonNull)
        .findFirst()
        .orElseThrow(() -> new AssertionError("nothing analyzes it", failure));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "kvant.paralellism | 2 | Did you mean 'kvant.parallelism'?",
        "kvant.quantise.backend | torchao | Did you mean 'kvant.quantize'?",
        "kvant.zzz | x | Remove 'kvant.zzz'; the properties below 'kvant' are plugin-directories,"
            + " discovery, parallelism, quantize.",
      })
  void does_not_start_with_a_property_that_is_unknown_and_names_the_nearest(
      String property, String value, String action) {
    application
        .withPropertyValues(property + "=" + value)
        .run(
            context -> {
              FailureAnalysis analysis =
                  analysis(Objects.requireNonNull(context.getStartupFailure()));
              assertThat(analysis.getDescription())
                  .startsWith("Unknown property '" + property + "'");
              assertThat(analysis.getAction()).isEqualTo(action);
            });
  }

  @Test
  void takes_every_property_that_is_known_in_any_of_springs_spellings() {
    application
        .withPropertyValues(
            "kvant.discovery=true",
            "kvant.pluginDirectories=",
            "kvant.parallelism=1",
            "kvant.quantize.backend=torchao",
            "kvant.quantize.layers[0].module-name=Linear",
            "kvant.quantize.layers[0].weights.dtype=int8",
            "kvant.quantize.skipNames[0]=head",
            "management.health.kvant.enabled=false")
        .run(context -> assertThat(context).hasNotFailed().hasSingleBean(ConfigDocument.class));
  }

  @Test
  void that_does_not_start_since_its_configuration_is_wrong_says_all_that_is() {
    application
        .withPropertyValues("kvant.discovery=true")
        .withBean(
            "quantizer",
            ModelQuantizer.class,
            () -> {
              try (Kvant kvant = Kvant.create()) {
                return kvant.quantizer(
                    Map.of("backend", "torchao", "strict", "perhaps", "layer", List.of()));
              }
            })
        .run(
            context -> {
              FailureAnalysis analysis =
                  analysis(Objects.requireNonNull(context.getStartupFailure()));
              assertThat(analysis.getDescription().lines())
                  .containsExactly(
                      "The configuration of Kvant is not valid:",
                      "  - strict: must be true or false, but is 'perhaps'",
                      "  - layer: is unknown; did you mean 'layers'?");
              assertThat(analysis.getAction()).contains("kvant.quantize");
            });
  }

  @Test
  void looks_for_plugins_where_its_properties_say() {
    application
        .withPropertyValues("kvant.plugin-directories=" + folder.resolve("none"))
        .run(
            context ->
                assertThatThrownBy(() -> context.getBean(Kvant.class).backends())
                    .hasMessageContaining("the plugin folder " + folder.resolve("none")));
  }

  @Test
  void does_not_start_with_a_number_of_threads_that_cannot_be() {
    application
        .withPropertyValues("kvant.parallelism=0")
        .run(
            context ->
                assertThat(context)
                    .hasFailed()
                    .getFailure()
                    .rootCause()
                    .hasMessage("threads: must be at least 1, was 0"));
  }

  @Test
  void reads_lists_numbers_and_truth_values_from_plain_properties() {
    application
        .withPropertyValues(
            "kvant.quantize.backend=torchao",
            "kvant.quantize.layers[0].module-name=Linear",
            "kvant.quantize.layers[0].weights.dtype=int8",
            "kvant.quantize.layers[1].module-name=*.none",
            "kvant.quantize.layers[1].weights.dtype=int8",
            "kvant.quantize.strict=false")
        .run(
            context -> {
              Kvant kvant = context.getBean(Kvant.class);
              try (ModelQuantizer quantizer =
                      kvant.quantizer(context.getBean(ConfigDocument.class));
                  QuantizableModel model = kvant.load(MODEL)) {
                assertThat(quantizer.config().strict()).isFalse();
                assertThat(quantizer.config().layers()).hasSize(2);
                assertThat(quantizer.prepare(model).plan().quantized())
                    .extracting(ModuleDecision::type)
                    .containsOnly("Linear");
              }
            });
  }

  @Test
  void tells_all_that_is_wrong_with_its_properties_by_their_paths() {
    application
        .withPropertyValues(
            "kvant.quantize.backend=torchao",
            "kvant.quantize.layers[0].modul-name=Linear",
            "kvant.quantize.layers[0].weights.dtype=int7")
        .run(
            context -> {
              FailureAnalysis analysis =
                  analysis(Objects.requireNonNull(context.getStartupFailure()));
              assertThat(analysis.getDescription())
                  .contains("quantize.layers[0].modul_name")
                  .contains("quantize.layers[0].weights.dtype");
              assertThat(analysis.getAction()).contains("kvant.quantize");
            });
  }

  @Test
  void does_not_start_with_a_configuration_that_lacks_a_backend_or_misspells_it() {
    application
        .withPropertyValues("kvant.quantize.bakend=torchao")
        .run(
            context ->
                assertThat(
                        analysis(Objects.requireNonNull(context.getStartupFailure()))
                            .getDescription())
                    .contains("quantize.bakend: is unknown; did you mean 'backend'?"));
  }

  @Test
  void starts_with_a_configuration_whose_backend_cannot_work_here() {
    application
        .withPropertyValues("kvant.discovery=false", "kvant.quantize.backend=stub")
        .withPropertyValues("kvant.quantize.default-layer-dtype=int8")
        .withBean(
            QuantizationBackend.class,
            () -> new StubBackend("stub", Availability.unavailable("there is no library")))
        .run(context -> assertThat(context).hasNotFailed().hasSingleBean(ConfigDocument.class));
  }

  @Test
  void keeps_patterns_as_they_are_written() {
    application
        .withPropertyValues(
            "kvant.quantize.backend=torchao",
            "kvant.quantize.default-layer-dtype=int8",
            "kvant.quantize.module-classes.[Encoder.fc-1]=Linear")
        .run(
            context -> {
              Kvant kvant = context.getBean(Kvant.class);
              try (ModelQuantizer quantizer =
                  kvant.quantizer(context.getBean(ConfigDocument.class))) {
                assertThat(quantizer.config().moduleClasses())
                    .containsExactly(Map.entry("Encoder.fc-1", "Linear"));
              }
            });
  }

  @Test
  void has_no_document_without_properties_for_it() {
    application.run(context -> assertThat(context).doesNotHaveBean(ConfigDocument.class));
  }

  private Health health(Availability availability) {
    List<Health> health = new ArrayList<>();
    application
        .withPropertyValues("kvant.discovery=false")
        .withBean(QuantizationBackend.class, () -> new StubBackend("stub", availability))
        .run(context -> health.add(context.getBean(HealthIndicator.class).health()));
    return health.get(0);
  }

  @Test
  void is_healthy_while_a_backend_can_work() {
    Health health = health(Availability.available());

    assertThat(health.getStatus()).isEqualTo(Status.UP);
    assertThat(health.getDetails().get("backends")).hasToString("{stub=available}");
  }

  @Test
  void is_not_healthy_when_none_can_and_says_why() {
    Health health = health(Availability.unavailable("there is no libstub"));

    assertThat(health.getStatus()).isEqualTo(Status.DOWN);
    assertThat(health.getDetails().get("backends"))
        .hasToString("{stub=unavailable: there is no libstub}");
  }

  @Test
  void can_leave_the_health_line_out() {
    application
        .withPropertyValues("management.health.kvant.enabled=false")
        .run(context -> assertThat(context).doesNotHaveBean(HealthIndicator.class));
  }

  @Test
  void starts_without_the_actuator_and_without_micrometer() {
    application
        .withClassLoader(
            new FilteredClassLoader(
                "org.springframework.boot.actuate", "io.micrometer", "dev.kvant.micrometer"))
        .run(
            context ->
                assertThat(context)
                    .hasNotFailed()
                    .hasSingleBean(Kvant.class)
                    .doesNotHaveBean("kvantHealthIndicator"));
  }

  @Test
  void measures_only_where_there_are_meters() {
    application.run(context -> assertThat(context).doesNotHaveBean(QuantizationMetrics.class));
    application
        .withBean(MeterRegistry.class, SimpleMeterRegistry::new)
        .run(context -> assertThat(context).hasSingleBean(QuantizationMetrics.class));
  }

  @Test
  void shows_the_health_line_beside_others() {
    application
        .withConfiguration(
            AutoConfigurations.of(
                HealthContributorAutoConfiguration.class, HealthEndpointAutoConfiguration.class))
        .run(
            context ->
                assertThat(context.getBean(HealthEndpoint.class).healthForPath("kvant"))
                    .extracting(HealthComponent::getStatus)
                    .isEqualTo(Status.UP));
  }

  @Test
  void reads_data_by_a_bean() {
    application
        .withBean(TiredReader.class)
        .run(
            context -> {
              Kvant kvant = context.getBean(Kvant.class);
              try (QuantizableModel model = kvant.load(MODEL)) {
                CalibrationDataset data =
                    kvant.calibrationData(
                        CalibrationConfig.builder(folder).reader("tired").build(), model);
                assertThatThrownBy(() -> data.iterator().hasNext())
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("it is tired");
              }
            });
  }

  static final class TiredReader implements DataReaderProvider {

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
