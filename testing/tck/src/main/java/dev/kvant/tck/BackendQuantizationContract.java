package dev.kvant.tck;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kvant.api.Artifact;
import dev.kvant.api.KvantException;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationException;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.SavedModel;
import dev.kvant.api.TensorDescription;
import dev.kvant.numerics.QuantizationError;
import dev.kvant.spi.BackendDescriptor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The results of a backend. */
abstract class BackendQuantizationContract extends BackendDescriptionContract {

  /** In decibels: what rounding to float32 may change. */
  private static final double SQNR_TOLERANCE = 0.1;

  @TestFactory
  Stream<DynamicTest> quantizing_writes_the_artifacts_that_the_descriptor_names() {
    return each(
        trials(),
        trial -> {
          BackendDescriptor descriptor = trial.backend().descriptor();
          Path results = newFolder();
          try (QuantizableModel model = open(trial)) {
            SavedModel saved = run(trial, model, trial.plan(model), results);
            assertFalse(saved.artifacts().isEmpty(), "nothing was written");
            assertEquals(
                descriptor.artifacts().get(0),
                fileName(saved.artifacts().get(0)),
                "the main artifact comes first");
            saved.artifacts().forEach(artifact -> assertArtifact(descriptor, artifact, results));
          }
        });
  }

  private static void assertArtifact(
      BackendDescriptor descriptor, Artifact artifact, Path results) {
    String name = fileName(artifact);
    assertTrue(
        (artifact.isModel() ? descriptor.artifacts() : descriptor.sideFiles()).contains(name),
        () ->
            "'%s' of the role %s is not among the artifacts %s and side files %s"
                .formatted(name, artifact.role(), descriptor.artifacts(), descriptor.sideFiles()));
    assertEquals(results.resolve(name), artifact.path(), "where the artifact lies");
    assertFalse(artifact.description().isBlank(), "the description of %s is empty".formatted(name));
    assertFalse(artifact.format().isBlank(), "the format of %s is empty".formatted(name));
    try {
      assertEquals(Files.size(artifact.path()), artifact.bytes(), "the size of " + name);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String fileName(Artifact artifact) {
    return artifact.path().getFileName().toString();
  }

  @TestFactory
  Stream<DynamicTest> the_report_tells_what_was_done_to_each_module() {
    return each(
        trials(),
        trial -> {
          try (QuantizableModel model = open(trial)) {
            QuantizationPlan plan = trial.plan(model);
            QuantizationReport report = run(trial, model, plan, newFolder()).report();
            assertEquals(trial.backend().descriptor().id(), report.backend());
            assertEquals(trial.mode(), report.mode());
            assertEquals(
                plan.modules(),
                report.modules().stream().map(ModuleReport::decision).toList(),
                "one entry for each module of the plan");
            report.modules().forEach(BackendQuantizationContract::assertMeasured);
          }
        });
  }

  private static void assertMeasured(ModuleReport report) {
    String module = report.decision().module();
    Double sqnr = report.weights().sqnrDecibels();
    assertEquals(
        report.weights().isQuantized(),
        sqnr != null,
        () -> "whether there is an SQNR of the weights of " + module);
    assertFalse(sqnr != null && sqnr.isNaN(), () -> "the SQNR of %s is NaN".formatted(module));
    assertTrue(report.bytesBefore() > 0, () -> "bytesBefore of " + module);
    assertTrue(report.bytesAfter() > 0, () -> "bytesAfter of " + module);
  }

  @TestFactory
  Stream<DynamicTest> the_report_repeats_the_warnings_of_the_plan_first() {
    return each(
        oneTrialOfEachSample(),
        trial -> {
          try (QuantizableModel model = open(trial)) {
            List<QuantizationWarning> warnings =
                List.of(
                    new QuantizationWarning(
                        QuantizationWarning.Kind.OTHER, "Said by the plan.", null, List.of()));
            QuantizationPlan plan = trial.plan(model, module -> true, warnings);
            List<QuantizationWarning> reported =
                run(trial, model, plan, newFolder()).report().warnings();
            assertEquals(
                warnings, reported.subList(0, Math.min(1, reported.size())), "the first warning");
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> a_saved_model_can_be_opened_again_and_carries_its_record() {
    if (!artifactsCanBeOpened()) {
      return each(oneTrialOfEachSample(), this::assertNothingOpens);
    }
    return each(
        trials(),
        trial -> {
          try (QuantizableModel model = open(trial)) {
            QuantizationPlan plan = trial.plan(model);
            SavedModel saved = run(trial, model, plan, newFolder());
            int opened = 0;
            for (Artifact artifact : saved.artifacts()) {
              Optional<QuantizableModel> reopened = reopen(artifact);
              if (reopened.isPresent()) {
                opened++;
                try (QuantizableModel again = reopened.get()) {
                  assertEquals(artifact.format(), again.format(), "format of " + artifact.path());
                  assertCarriesRecord(again, artifact);
                }
              }
            }
            assertTrue(
                opened > 0, "no artifact is recognized by any of the formats in artifactFormats()");
          }
        });
  }

  private void assertNothingOpens(Trial trial) {
    try (QuantizableModel model = open(trial)) {
      for (Artifact artifact : run(trial, model, trial.plan(model), newFolder()).artifacts()) {
        reopen(artifact)
            .ifPresent(
                again -> {
                  again.close();
                  throw new AssertionError(
                      "%s can be opened as %s, and artifactsCanBeOpened() is false"
                          .formatted(artifact.path().getFileName(), again.format()));
                });
      }
    }
  }

  private void assertCarriesRecord(QuantizableModel again, Artifact artifact) {
    if (artifactsCarryTheirRecord()) {
      assertTrue(
          again.record().filter(this::isRecord).isPresent(),
          () -> "the record in %s is none that the run was given".formatted(artifact.path()));
    }
  }

  @TestFactory
  Stream<DynamicTest> modules_that_the_plan_leaves_native_keep_their_tensors() {
    assumeArtifactsCanBeOpened();
    return each(
        trials(),
        trial -> {
          try (QuantizableModel model = open(trial)) {
            String only = quantizable(trial, model).get(0);
            QuantizationPlan plan =
                trial.plan(model, module -> module.name().equals(only), List.of());
            assertKept(plan, model, run(trial, model, plan, newFolder()));
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> a_plan_that_quantizes_nothing_keeps_every_tensor() {
    assumeArtifactsCanBeOpened();
    return each(
        oneTrialOfEachSample(),
        trial -> {
          try (QuantizableModel model = open(trial)) {
            QuantizationPlan plan = trial.plan(model, module -> false, List.of());
            assertKept(plan, model, run(trial, model, plan, newFolder()));
          }
        });
  }

  private void assertKept(QuantizationPlan plan, QuantizableModel model, SavedModel saved) {
    Map<String, ModuleDescription> before = byName(model);
    for (Artifact artifact : saved.artifacts()) {
      Optional<QuantizableModel> reopened = reopen(artifact);
      if (reopened.isPresent()) {
        try (QuantizableModel again = reopened.get()) {
          Map<String, ModuleDescription> after = byName(again);
          for (ModuleDecision decision : plan.modules()) {
            if (!decision.isQuantized()) {
              String module = decision.module();
              String where = "%s in %s".formatted(module, fileName(artifact));
              Map<String, String> tensors = tensors(before.get(module));
              assertEquals(tensors, tensors(after.get(module)), () -> "tensors of " + where);
              for (String name : tensors.keySet()) {
                assertEquals(
                    StoredValues.bytes(tensor(model, module, name)),
                    StoredValues.bytes(tensor(again, module, name)),
                    () -> "the bytes of '%s' of %s".formatted(name, where));
              }
            }
          }
        }
      }
    }
  }

  @TestFactory
  Stream<DynamicTest> the_reported_sqnr_is_that_of_the_weights_in_the_artifact() {
    assumeArtifactsCanBeOpened();
    return each(
        trials(),
        trial -> {
          try (QuantizableModel model = open(trial)) {
            SavedModel saved = run(trial, model, trial.plan(model), newFolder());
            Map<String, ModuleDescription> before = byName(model);
            List<ModuleReport> quantized =
                saved.report().modules().stream()
                    .filter(report -> report.weights().isQuantized())
                    .filter(report -> hasWeight(before.get(report.decision().module())))
                    .toList();
            Set<String> measured = new TreeSet<>();
            for (Artifact artifact : saved.artifacts()) {
              Optional<QuantizableModel> reopened = reopen(artifact);
              if (reopened.isPresent()) {
                try (QuantizableModel again = reopened.get()) {
                  quantized.stream()
                      .filter(report -> isQuantizedIn(artifact, report))
                      .filter(report -> isErrorAsReported(report, artifact, model, again))
                      .forEach(report -> measured.add(report.decision().module()));
                }
              }
            }
            for (ModuleReport report : quantized) {
              String module = report.decision().module();
              assertTrue(
                  measured.contains(module),
                  () -> "restoredWeight() restores '%s' from no artifact".formatted(module));
            }
          }
        });
  }

  private static boolean hasWeight(@Nullable ModuleDescription module) {
    return module != null && module.weight().isPresent();
  }

  private static boolean isQuantizedIn(Artifact artifact, ModuleReport report) {
    return !report.decision().weights().dtypeIn(fileName(artifact)).isNative();
  }

  /** Checks an SQNR; false if the artifact is none to measure it from. */
  private boolean isErrorAsReported(
      ModuleReport report, Artifact artifact, QuantizableModel model, QuantizableModel again) {
    String module = report.decision().module();
    Optional<float[]> restored = restoredWeight(again, module);
    if (restored.isEmpty()) {
      return false;
    }
    float[] weight = StoredValues.floats(tensor(model, module, "weight"));
    assertEquals(
        weight.length,
        restored.get().length,
        () -> "the values that restoredWeight() returns for " + module);
    double measured = QuantizationError.between(weight, restored.get()).sqnrDecibels();
    Double reported = report.weights().sqnrDecibels();
    assertTrue(
        reported != null
            && (reported == measured || Math.abs(reported - measured) <= SQNR_TOLERANCE),
        () ->
            String.format(
                Locale.ROOT,
                "the weight of %s in %s has an SQNR of %.2f dB, and the report says %.2f dB",
                module,
                fileName(artifact),
                measured,
                reported));
    return true;
  }

  @TestFactory
  Stream<DynamicTest> outcomes_agree_with_the_stored_tensors() {
    assumeArtifactsCanBeOpened();
    return each(
        trials(),
        trial -> {
          try (QuantizableModel model = open(trial)) {
            Map<String, ModuleDescription> before = byName(model);
            SavedModel saved = run(trial, model, trial.plan(model), newFolder());
            Set<String> changed = new TreeSet<>();
            for (Artifact artifact : saved.artifacts()) {
              Optional<QuantizableModel> reopened = reopen(artifact);
              if (reopened.isPresent()) {
                try (QuantizableModel again = reopened.get()) {
                  Map<String, ModuleDescription> after = byName(again);
                  for (ModuleReport report : saved.report().modules()) {
                    String module = report.decision().module();
                    boolean sameTypes =
                        tensors(before.get(module)).equals(tensors(after.get(module)));
                    if (!report.isQuantized()) {
                      assertTrue(
                          sameTypes,
                          () ->
                              "%s is reported as native, and its tensors in %s are not those of the source"
                                  .formatted(module, fileName(artifact)));
                    }
                    if (!sameTypes || !sameBytes(before.get(module), model, again)) {
                      changed.add(module);
                    }
                  }
                }
              }
            }
            saved.report().modules().stream()
                .filter(report -> report.weights().isQuantized())
                .map(report -> report.decision().module())
                .forEach(
                    module ->
                        assertTrue(
                            changed.contains(module),
                            () ->
                                "the weight of %s is reported as quantized, and is in every artifact as it was"
                                    .formatted(module)));
          }
        });
  }

  private static boolean sameBytes(
      @Nullable ModuleDescription module, QuantizableModel model, QuantizableModel again) {
    return tensors(module).keySet().stream()
        .allMatch(
            tensor ->
                module == null
                    || StoredValues.bytes(tensor(model, module.name(), tensor))
                        .equals(StoredValues.bytes(tensor(again, module.name(), tensor))));
  }

  @TestFactory
  Stream<DynamicTest> every_allowed_value_of_every_option_works() {
    List<Trial> varied = trialsOfEachOptionValue();
    return varied.isEmpty()
        ? Stream.empty()
        : each(
            varied,
            trial -> {
              Path results = newFolder();
              try (QuantizableModel model = open(trial)) {
                QuantizationPlan plan = trial.plan(model);
                SavedModel saved = run(trial, model, plan, results);
                assertEquals(
                    plan.modules(),
                    saved.report().modules().stream().map(ModuleReport::decision).toList(),
                    "one entry for each module of the plan");
                int opened = 0;
                for (Artifact artifact : saved.artifacts()) {
                  assertArtifact(trial.backend().descriptor(), artifact, results);
                  Optional<QuantizableModel> reopened = reopen(artifact);
                  if (reopened.isPresent()) {
                    reopened.get().close();
                    opened++;
                  }
                }
                assertEquals(
                    artifactsCanBeOpened(), opened > 0, "whether an artifact can be opened");
              }
            });
  }

  private static Map<String, ModuleDescription> byName(QuantizableModel model) {
    return model.modules().stream()
        .collect(Collectors.toMap(ModuleDescription::name, Function.identity()));
  }

  private static Map<String, String> tensors(@Nullable ModuleDescription module) {
    Map<String, String> tensors = new TreeMap<>();
    if (module != null) {
      for (TensorDescription tensor : module.tensors()) {
        tensors.put(tensor.name(), tensor.elementType() + " " + tensor.shape());
      }
    }
    return tensors;
  }

  @TestFactory
  Stream<DynamicTest> modules_that_the_plan_quantizes_are_not_as_they_were() {
    assumeArtifactsCanBeOpened();
    return each(
        trials(),
        trial -> {
          try (QuantizableModel model = open(trial)) {
            Map<String, String> nothing = contentWithOnly("", trial, model);
            List<String> names = quantizable(trial, model);
            for (String name : Set.copyOf(List.of(names.get(0), names.get(names.size() - 1)))) {
              assertNotEquals(
                  nothing,
                  contentWithOnly(name, trial, model),
                  () -> "all artifacts, whether %s is quantized or not".formatted(name));
            }
          }
        });
  }

  /**
   * The content of the artifacts that can be opened: their modules, and the sizes of their tensors,
   * which show whether they were quantized.
   */
  private Map<String, String> contentWithOnly(String name, Trial trial, QuantizableModel model) {
    QuantizationPlan plan = trial.plan(model, module -> module.name().equals(name), List.of());
    Map<String, String> content = new TreeMap<>();
    for (Artifact artifact : run(trial, model, plan, newFolder()).artifacts()) {
      Optional<QuantizableModel> reopened = reopen(artifact);
      if (reopened.isPresent()) {
        try (QuantizableModel again = reopened.get()) {
          content.put(
              fileName(artifact),
              "%d bytes in %s".formatted(again.tensorBytes(), tensorsByModule(again)));
        }
      }
    }
    return content;
  }

  private static Map<String, Map<String, String>> tensorsByModule(QuantizableModel model) {
    Map<String, Map<String, String>> tensors = new TreeMap<>();
    model.modules().forEach(module -> tensors.put(module.name(), tensors(module)));
    return tensors;
  }

  /** The names of the modules that a plan can quantize. */
  private static List<String> quantizable(Trial trial, QuantizableModel model) {
    return trial.plan(model).quantized().stream().map(ModuleDecision::module).toList();
  }

  @TestFactory
  Stream<DynamicTest> quantizing_leaves_the_model_as_it_was() {
    return each(
        trials(),
        trial -> {
          Path source = newFolder();
          try (QuantizableModel model = trial.sample().openCopyIn(source)) {
            FolderContent before = FolderContent.of(source);
            List<ModuleDescription> modules = model.modules();
            run(trial, model, trial.plan(model), newFolder());
            assertAll(
                () -> assertEquals(before, FolderContent.of(source), "the files of the model"),
                () -> assertEquals(modules, model.modules(), "the modules of the opened model"));
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> the_same_model_and_plan_give_the_same_bytes_again() {
    return each(
        trials(),
        trial -> {
          Path first = newFolder();
          Path second = newFolder();
          Path third = newFolder();
          try (QuantizableModel model = open(trial);
              QuantizableModel copy = open(trial)) {
            QuantizationPlan plan = trial.plan(model);
            run(trial, model, plan, first);
            run(trial, model, plan, second);
            run(trial, copy, plan, third, QuantizationListener.NONE, 4);
          }
          Path fourth = newFolder();
          inAnotherLocale(
              () -> {
                try (QuantizableModel model = open(trial)) {
                  run(trial, model, trial.plan(model), fourth);
                }
              });
          assertEquals(FolderContent.of(first), FolderContent.of(second), "a second run");
          assertEquals(
              FolderContent.of(first), FolderContent.of(fourth), "in a locale with other digits");
          assertEquals(
              FolderContent.of(first), FolderContent.of(third), "a copy, with four threads");
        });
  }

  /** Where numbers are formatted with other digits than those of ASCII. */
  private static void inAnotherLocale(Runnable work) {
    Locale before = Locale.getDefault();
    Locale.setDefault(new Locale("ar", "EG"));
    try {
      work.run();
    } finally {
      Locale.setDefault(before);
    }
  }

  @TestFactory
  Stream<DynamicTest> saving_makes_the_folder_and_replaces_what_is_old_and_nothing_else() {
    return each(
        oneTrialOfEachSample(),
        trial -> {
          Path fresh = newFolder().resolve("not/there/yet");
          Path used = newFolder();
          try (QuantizableModel model = open(trial)) {
            QuantizationPlan plan = trial.plan(model);
            SavedModel saved = run(trial, model, plan, fresh);
            List<String> expected =
                saved.artifacts().stream().map(BackendQuantizationContract::fileName).toList();
            assertTrue(
                FolderContent.of(fresh).digests().keySet().containsAll(expected),
                () -> "%s in %s".formatted(expected, FolderContent.of(fresh).digests().keySet()));
            fillWithOld(trial.backend().descriptor(), used);
            run(trial, model, plan, used);
          }
          Map<String, String> after = new TreeMap<>(FolderContent.of(used).digests());
          assertTrue(after.remove(OTHER) != null, "a file other than an artifact was removed");
          FolderContent.of(fresh)
              .digests()
              .forEach((name, digest) -> assertEquals(digest, after.get(name), name));
          after.keySet().removeAll(trial.backend().descriptor().files());
          FolderContent.of(fresh).digests().keySet().forEach(after::remove);
          assertEquals(Map.of(), after, "left over");
        });
  }

  private static final String OTHER = "somebody-else.txt";

  private static void fillWithOld(BackendDescriptor descriptor, Path results) {
    try {
      Files.createDirectories(results);
      Files.writeString(results.resolve(OTHER), "stays");
      for (String artifact : descriptor.files()) {
        Files.writeString(results.resolve(artifact), "old");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void a_weight_that_is_not_finite_is_an_error_and_old_artifacts_stay() {
    SampleModel sample =
        sampleWithNonFiniteWeight()
            .orElseGet(() -> Assumptions.abort("sampleWithNonFiniteWeight() supplies none"));
    Trial like = trials().get(0);
    Trial trial = new Trial(like.backend(), sample, like.mode(), like.config());
    Path results = newFolder();
    fillWithOld(trial.backend().descriptor(), results);
    FolderContent before = FolderContent.of(results);
    try (QuantizableModel model = open(trial)) {
      KvantException error =
          assertThrows(
              QuantizationException.class,
              () -> run(trial, model, trial.plan(model), results),
              "a weight is NaN or infinite");
      assertFalse(error.getMessage().isBlank(), "the error has no message");
    }
    assertEquals(before, FolderContent.of(results), "the results folder");
  }
}
