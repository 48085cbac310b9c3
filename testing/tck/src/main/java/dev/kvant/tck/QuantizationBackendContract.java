package dev.kvant.tck;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.Progress;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.TensorBatch;
import dev.kvant.spi.CalibrationStatistics;
import dev.kvant.spi.Observation;
import dev.kvant.spi.QuantizationRun;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The tests that every backend passes. Its author extends this class and supplies a factory and
 * sample models:
 *
 * <pre>{@code
 * class MyBackendContractTest extends QuantizationBackendContract {
 *
 *   @Override
 *   protected QuantizationBackend newBackend() {
 *     return new MyBackend();
 *   }
 *
 *   @Override
 *   protected List<SampleModel> samples() {
 *     return List.of(new SampleModel("classifier", Path.of("src/test/resources/classifier.pt"), new TorchFormat()));
 *   }
 * }
 * }</pre>
 *
 * <p>Further hooks are for backends that calibrate, need options, write artifacts in other formats,
 * or can be shown a weight that is not finite. The name of each test states its requirement. Tests
 * cannot be overridden.
 *
 * @since 0.1.0
 */
@DisplayNameGeneration(ReplaceUnderscores.class)
public abstract class QuantizationBackendContract extends BackendQuantizationContract {

  private static final int ROUNDS = 3;
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  /** For subclasses. */
  protected QuantizationBackendContract() {}

  @TestFactory
  Stream<DynamicTest> what_a_run_observes_has_an_entry_for_each_tensor_that_it_needs() {
    return each(
        trials(),
        trial -> {
          try (QuantizableModel model = open(trial);
              QuantizationRun run = begin(trial, model)) {
            Set<String> wanted = run.observations().keySet();
            if (!trial.calibrates()) {
              assertEquals(Set.of(), wanted, "tensors to observe in " + trial.mode());
              return;
            }
            for (Observation least : List.of(Observation.EXTREMES, Observation.DISTRIBUTION)) {
              CalibrationStatistics seen = run.observe(calibrationData(trial.sample()), least);
              assertEquals(wanted, seen.tensors().keySet(), "tensors that were observed");
              run.observations()
                  .forEach(
                      (tensor, needed) -> {
                        Observation detail = needed.compareTo(least) < 0 ? least : needed;
                        assertTrue(
                            seen.tells(tensor, detail),
                            () -> "%s of '%s' was not observed".formatted(detail, tensor));
                      });
            }
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> statistics_of_parts_of_the_data_give_the_bytes_of_the_whole() {
    List<Trial> calibrating = trials().stream().filter(Trial::calibrates).toList();
    return calibrating.isEmpty() ? Stream.empty() : each(calibrating, this::assertMergeable);
  }

  private void assertMergeable(Trial trial) {
    Path whole = newFolder();
    Path merged = newFolder();
    try (QuantizableModel model = open(trial);
        QuantizationRun run = begin(trial, model)) {
      observe(trial, run);
      run.save(whole);
      CalibrationStatistics sum = CalibrationStatistics.NONE;
      List<TensorBatch> batches = new ArrayList<>();
      calibrationData(trial.sample()).forEach(batches::add);
      Collections.reverse(batches);
      for (TensorBatch batch : batches) {
        sum = sum.plus(run.observe(CalibrationDataset.of(List.of(batch)), Observation.EXTREMES));
      }
      run.use(sum);
      run.save(merged);
    }
    assertEquals(FolderContent.of(whole), FolderContent.of(merged));
  }

  private QuantizationRun begin(Trial trial, QuantizableModel model) {
    return begin(trial, model, trial.plan(model), QuantizationListener.NONE, 1);
  }

  @TestFactory
  Stream<DynamicTest> progress_starts_at_zero_never_goes_back_and_ends_at_its_total() {
    return each(
        oneTrialOfEachSample(),
        trial -> {
          ProgressLog log = logOf(trial);
          assertFalse(log.heard().isEmpty(), "no progress was reported");
          Map<String, List<Progress>> steps =
              log.heard().stream()
                  .collect(
                      Collectors.groupingBy(
                          Progress::step, LinkedHashMap::new, Collectors.toList()));
          steps.forEach(QuantizationBackendContract::assertAdvances);
        });
  }

  private static void assertAdvances(String step, List<Progress> reports) {
    Progress last = reports.get(reports.size() - 1);
    assertEquals(0, reports.get(0).done(), () -> "'%s' starts".formatted(step));
    for (int i = 1; i < reports.size(); i++) {
      long before = reports.get(i - 1).done();
      long now = reports.get(i).done();
      assertTrue(before <= now, () -> "'%s' goes from %d to %d".formatted(step, before, now));
      assertEquals(last.total(), reports.get(i).total(), () -> "total of '%s'".formatted(step));
    }
    assertTrue(
        last.total() == -1 || last.done() == last.total(),
        () -> "'%s' ends at %d of %d".formatted(step, last.done(), last.total()));
  }

  @TestFactory
  Stream<DynamicTest> progress_is_reported_on_the_thread_that_runs_the_step() {
    return each(
        oneTrialOfEachSample(),
        trial -> assertEquals(Set.of(Thread.currentThread()), logOf(trial).threads()));
  }

  private ProgressLog logOf(Trial trial) {
    ProgressLog log = ProgressLog.silent();
    try (QuantizableModel model = open(trial)) {
      run(trial, model, trial.plan(model), newFolder(), log, 4);
    }
    return log;
  }

  @TestFactory
  Stream<DynamicTest>
      an_interrupt_at_the_first_progress_ends_the_work_and_nothing_is_half_written() {
    return each(oneTrialOfEachSample(), trial -> assertInterruptible(trial, 0));
  }

  @TestFactory
  Stream<DynamicTest> an_interrupt_half_way_ends_the_work_and_nothing_is_half_written() {
    return each(
        oneTrialOfEachSample(),
        trial -> assertInterruptible(trial, Math.max(0, logOf(trial).heard().size() / 2 - 1)));
  }

  private void assertInterruptible(Trial trial, int report) {
    Path results = newFolder();
    try (QuantizableModel model = open(trial)) {
      QuantizationPlan plan = trial.plan(model);
      run(trial, model, plan, results);
      FolderContent before = FolderContent.of(results);
      assertThrows(
          QuantizationCancelledException.class,
          () -> run(trial, model, plan, results, ProgressLog.interruptingAt(report), 1),
          "the thread was interrupted");
      assertTrue(Thread.interrupted(), "the interrupt flag is set again");
      assertEquals(before, FolderContent.of(results), "the results folder");
      assertDoesNotThrow(
          () -> run(trial, model, plan, newFolder()), "the model can still be quantized");
    } finally {
      // Whatever the outcome, the next test starts without it.
      Thread.interrupted();
    }
  }

  @TestFactory
  Stream<DynamicTest> closing_twice_is_harmless() {
    return each(
        oneTrialOfEachSample(),
        trial -> {
          try (QuantizableModel model = open(trial)) {
            QuantizationRun run = begin(trial, model);
            observe(trial, run);
            run.close();
            assertDoesNotThrow(run::close);
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> closing_a_run_leaves_the_model_open() {
    return each(
        oneTrialOfEachSample(),
        trial -> {
          Path results = newFolder();
          try (QuantizableModel model = open(trial)) {
            QuantizationPlan plan = trial.plan(model);
            List<ModuleDescription> modules = model.modules();
            QuantizationRun first = begin(trial, model);
            observe(trial, first);
            first.quantize();
            first.close();
            assertEquals(modules, model.modules(), "the modules after the first run");
            assertDoesNotThrow(
                () -> run(trial, model, plan, results), "a second run for the model");
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> no_thread_is_left_behind() {
    return each(
        oneTrialOfEachSample(),
        trial -> {
          Set<Thread> before = Footprint.threads();
          try (QuantizableModel model = open(trial)) {
            run(trial, model, trial.plan(model), newFolder(), QuantizationListener.NONE, 4);
          }
          assertEquals(Set.of(), threadsBeside(before), "threads after all is closed");
        });
  }

  /** The threads that were not there before, once they had time to end. */
  private static Set<Thread> threadsBeside(Set<Thread> before) {
    Set<Thread> left = Footprint.threads();
    left.removeAll(before);
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    for (Thread thread : left) {
      try {
        thread.join(Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    left.removeIf(thread -> !thread.isAlive());
    return left;
  }

  @TestFactory
  Stream<DynamicTest> two_runs_at_once_work_as_each_alone() {
    return each(
        oneTrialOfEachSample(),
        trial -> {
          Path alone = newFolder();
          List<Path> together = new ArrayList<>();
          try (QuantizableModel first = open(trial);
              QuantizableModel second = open(trial)) {
            run(trial, first, trial.plan(first), alone);
            for (int round = 0; round < ROUNDS; round++) {
              together.addAll(runTogether(trial, List.of(first, second)));
            }
          }
          together.forEach(
              results -> assertEquals(FolderContent.of(alone), FolderContent.of(results)));
        });
  }

  /** Quantizes the models at the same time and gives the results folders. */
  private List<Path> runTogether(Trial trial, List<QuantizableModel> models) {
    CyclicBarrier start = new CyclicBarrier(models.size());
    List<Path> folders = new ArrayList<>();
    ExecutorService threads = Executors.newFixedThreadPool(models.size());
    try {
      List<Future<?>> runs = new ArrayList<>();
      for (QuantizableModel model : models) {
        Path results = newFolder();
        folders.add(results);
        Callable<?> run =
            () -> {
              start.await();
              return run(trial, model, trial.plan(model), results);
            };
        runs.add(threads.submit(run));
      }
      for (Future<?> run : runs) {
        assertDoesNotThrow(() -> run.get(), "one of two runs at once");
      }
      return folders;
    } finally {
      threads.shutdownNow();
    }
  }
}
