package dev.kvant.tck;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.Operand;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.api.TensorDescription;
import dev.kvant.numerics.FloatType;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The descriptor of a backend. */
abstract class BackendDescriptionContract extends BackendKit {

  @Test
  void the_descriptor_is_the_same_at_every_call_and_of_every_instance() {
    QuantizationBackend backend = newBackend();
    assertEquals(backend.descriptor(), backend.descriptor(), "two calls");
    assertEquals(backend.descriptor(), newBackend().descriptor(), "two instances");
  }

  @Test
  void no_two_names_of_the_backend_are_the_same() {
    BackendDescriptor descriptor = newBackend().descriptor();
    List<String> names =
        Stream.concat(Stream.of(descriptor.id()), descriptor.aliases().stream())
            .map(name -> name.toLowerCase(Locale.ROOT))
            .toList();
    assertDistinct(names, "id and aliases, whatever their case");
    names.forEach(name -> assertFalse(name.isBlank(), "an alias is empty"));
  }

  @Test
  void the_descriptor_tells_version_purpose_formats_and_artifacts() {
    BackendDescriptor descriptor = newBackend().descriptor();
    assertAll(
        () -> assertFalse(descriptor.version().isBlank(), "the version is empty"),
        () -> assertFalse(descriptor.description().isBlank(), "the description is empty"),
        () -> assertFalse(descriptor.formats().isEmpty(), "it takes no model format"),
        () -> assertFalse(descriptor.artifacts().isEmpty(), "it writes no artifact"),
        () -> assertDistinct(descriptor.formats(), "formats"),
        () -> assertDistinct(descriptor.files(), "artifacts"),
        () ->
            descriptor
                .artifacts()
                .forEach(
                    name ->
                        assertTrue(
                            name.matches("[^/\\\\]+"),
                            "the artifact '%s' must be a file name".formatted(name))));
  }

  @Test
  void every_mode_lists_each_dtype_once_and_never_native() {
    newBackend()
        .descriptor()
        .modes()
        .forEach(
            (mode, abilities) -> {
              assertFalse(
                  abilities.weights().isEmpty() && abilities.activations().isEmpty(),
                  "%s quantizes neither weights nor activations".formatted(mode));
              for (Operand operand : Operand.values()) {
                List<Dtype> dtypes = abilities.dtypes(operand);
                assertDistinct(dtypes, "dtypes of %s in %s".formatted(operand, mode));
                assertFalse(
                    dtypes.contains(Dtype.NATIVE),
                    "%s lists 'native' for %s; it is always possible".formatted(mode, operand));
              }
            });
  }

  @Test
  void options_differ_by_key_and_have_defaults_of_their_type() {
    OptionChecks.assertSound(newBackend().descriptor().options());
  }

  @Test
  void service_loader_finds_the_backend() {
    Registration.assertFound(QuantizationBackend.class, newBackend().getClass());
  }

  @Test
  void making_and_asking_a_backend_uses_no_file_thread_or_native_library() {
    List<SupportQuery> queries = queries(newBackend());
    Footprint footprint =
        Footprint.of(
            () -> {
              QuantizationBackend backend = newBackend();
              backend.descriptor();
              queries.forEach(backend::supports);
            });
    assertEquals(
        List.of(), footprint.traces(), "constructor, descriptor() and supports() did more");
  }

  @Test
  void supports_answers_the_same_at_every_call_and_of_every_instance() {
    QuantizationBackend backend = newBackend();
    QuantizationBackend other = newBackend();
    for (SupportQuery query : queries(backend)) {
      assertEquals(backend.supports(query), backend.supports(query), () -> words(query));
      assertEquals(backend.supports(query), other.supports(query), () -> words(query));
    }
  }

  @Test
  void a_refusal_tells_its_reason_and_a_partial_one_its_artifacts() {
    QuantizationBackend backend = newBackend();
    List<String> artifacts = backend.descriptor().artifacts();
    for (SupportQuery query : queries(backend)) {
      Support support = backend.supports(query);
      if (support instanceof Support.No no) {
        assertFalse(no.reason().isBlank(), () -> words(query) + " is refused without a reason");
      } else if (support instanceof Support.Partly partly) {
        Set<String> unknown = new TreeSet<>(partly.nativeIn().keySet());
        artifacts.forEach(unknown::remove);
        assertEquals(
            Set.of(), unknown, () -> words(query) + " names artifacts that are never written");
        assertFalse(
            partly.nativeIn().keySet().containsAll(artifacts),
            () -> words(query) + " is native in every artifact, which is a refusal");
        assertFalse(partly.nativeIn().isEmpty(), () -> words(query) + " has no exception");
      }
    }
  }

  @Test
  void a_module_without_floating_point_weights_is_refused() {
    QuantizationBackend backend = newBackend();
    for (SupportQuery query : queries(backend)) {
      ModuleDescription module =
          new ModuleDescription(
              query.module().names(),
              query.module().types(),
              query.module().typesInferred(),
              List.of(
                  new TensorDescription("weight", ElementType.INT64, List.of(64L, 64L), "tck")));
      SupportQuery integers =
          new SupportQuery(
              module, Operand.WEIGHTS, query.dtype(), null, query.modelFormat(), query.config());
      assertInstanceOf(
          Support.No.class,
          backend.supports(integers),
          () -> "a %s whose weight is int64".formatted(module.type()));
    }
  }

  @Test
  void every_dtype_of_every_mode_can_be_had_by_a_module_of_the_samples() {
    QuantizationBackend backend = newBackend();
    Set<String> wanted = new LinkedHashSet<>();
    backend
        .descriptor()
        .modes()
        .forEach(
            (mode, abilities) -> {
              for (Operand operand : Operand.values()) {
                abilities
                    .dtypes(operand)
                    .forEach(dtype -> wanted.add(offer(mode.name(), operand, dtype)));
              }
            });
    for (SupportQuery query : queries(backend)) {
      if (!(backend.supports(query) instanceof Support.No)) {
        wanted.remove(offer(mode(query.config()).name(), query.operand(), query.dtype()));
      }
    }
    assertEquals(Set.of(), wanted, "offered, and refused to every module of the samples");
  }

  @Test
  void the_samples_have_every_type_of_weights_that_the_backend_supports() {
    QuantizationBackend backend = newBackend();
    Set<String> supported = new TreeSet<>();
    Set<String> shown = new TreeSet<>();
    for (SupportQuery query : queries(backend)) {
      if (query.operand() != Operand.WEIGHTS || query.module().weight().isEmpty()) {
        continue;
      }
      for (FloatType type : FloatType.values()) {
        if (!(backend.supports(withWeightsOf(query, ElementType.of(type.label())))
            instanceof Support.No)) {
          supported.add(type.label());
        }
      }
      if (!(backend.supports(query) instanceof Support.No)) {
        shown.add(query.module().weight().orElseThrow().elementType().label());
      }
    }
    supported.removeAll(shown);
    assertEquals(
        Set.of(),
        supported,
        "types of weights that the backend supports, and no module of the samples has");
  }

  private static SupportQuery withWeightsOf(SupportQuery query, ElementType type) {
    ModuleDescription module = query.module();
    return new SupportQuery(
        new ModuleDescription(
            module.names(),
            module.types(),
            module.typesInferred(),
            module.tensors().stream()
                .map(
                    tensor ->
                        tensor.elementType().isFloatingPoint()
                            ? new TensorDescription(
                                tensor.name(), type, tensor.shape(), tensor.storage())
                            : tensor)
                .toList()),
        query.operand(),
        query.dtype(),
        query.granularity(),
        query.modelFormat(),
        query.config());
  }

  private static String offer(String mode, Operand operand, Dtype dtype) {
    return "%s in %s in %s".formatted(operand, dtype, mode);
  }

  @Test
  void every_dtype_of_every_mode_passes_the_validation_of_the_backend() {
    QuantizationBackend backend = newBackend();
    for (ModelQuantizationConfig config : configurations(backend)) {
      assertEquals(
          List.of(),
          backend.validate(config),
          () -> "%s in %s".formatted(config.defaultLayerDtype(), config.mode()));
    }
  }

  @Test
  void alternatives_differ_and_are_configurations_that_the_backend_accepts() {
    QuantizationBackend backend = newBackend();
    List<RecipeRequest> requests =
        List.of(
            RecipeRequest.ANY,
            RecipeRequest.builder()
                .calibration(CalibrationConfig.of(Path.of("calibration.npz")))
                .build());
    for (SampleModel sample : samples()) {
      try (QuantizableModel model = sample.open()) {
        for (RecipeRequest request : requests) {
          List<ModelQuantizationConfig> configs =
              backend.alternatives(model, request).stream().map(Recipe::config).toList();
          assertDistinct(configs, "alternatives");
          configs.forEach(config -> assertAccepted(backend, config));
        }
      }
    }
  }

  private static void assertAccepted(QuantizationBackend backend, ModelQuantizationConfig config) {
    ModeDescriptor abilities = backend.descriptor().modes().get(config.mode());
    assertTrue(
        config.mode() == null || abilities != null,
        () ->
            "an alternative has the mode %s, which the descriptor lacks".formatted(config.mode()));
    for (Operand operand : Operand.values()) {
      Dtype dtype = config.defaultDtype(operand);
      assertTrue(
          dtype.isNative() || abilities == null || abilities.dtypes(operand).contains(dtype),
          () -> "an alternative has %s for %s in %s".formatted(dtype, operand, config.mode()));
    }
    assertEquals(List.of(), backend.validate(config), () -> "an alternative: " + config);
  }

  /** All that the backend can be asked about the samples. */
  private List<SupportQuery> queries(QuantizationBackend backend) {
    List<SupportQuery> queries = new ArrayList<>();
    for (SampleModel sample : samples()) {
      try (QuantizableModel model = sample.open()) {
        for (ModelQuantizationConfig config : configurations(backend)) {
          ModeDescriptor abilities = backend.descriptor().modes().get(mode(config));
          for (ModuleDescription module : model.modules()) {
            for (Operand operand : Operand.values()) {
              if (module.hasWeights() && abilities != null) {
                abilities
                    .dtypes(operand)
                    .forEach(
                        dtype ->
                            queries.add(
                                new SupportQuery(
                                    module, operand, dtype, null, model.format(), config)));
              }
            }
          }
        }
      }
    }
    return queries;
  }

  private static String words(SupportQuery query) {
    return "%s of %s (%s) to %s in %s"
        .formatted(
            query.operand(),
            query.module().name(),
            query.module().type(),
            query.dtype(),
            query.config().mode());
  }

  private static void assertDistinct(List<?> values, String what) {
    assertEquals(values.size(), new HashSet<>(values).size(), () -> what + ": " + values);
  }
}
