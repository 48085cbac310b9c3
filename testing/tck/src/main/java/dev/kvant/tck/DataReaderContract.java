package dev.kvant.tck;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.kvant.api.KvantException;
import dev.kvant.api.Tensor;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.DataReaderDescriptor;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.DataRequest;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.Options;
import dev.kvant.spi.SampleBlock;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * The tests that every data reader passes. Its author extends this class and supplies a factory and
 * data whose values are known from elsewhere:
 *
 * <pre>{@code
 * class MyReaderContractTest extends DataReaderContract {
 *
 *   @Override
 *   protected DataReaderProvider newProvider() {
 *     return new MyReaderProvider();
 *   }
 *
 *   @Override
 *   protected List<SampleData> samples() {
 *     return List.of(
 *         SampleData.of(
 *             Path.of("src/test/resources/rows.my"),
 *             Map.of("input", Tensor.ofFloats(new float[] {1, 2, 3, 4}, 2, 2))));
 *   }
 * }
 * }</pre>
 *
 * @since 0.1.0
 */
@DisplayNameGeneration(ReplaceUnderscores.class)
public abstract class DataReaderContract {

  @TempDir Path folder;

  /** For subclasses. */
  protected DataReaderContract() {}

  /** A new instance, created with the constructor that {@link ServiceLoader} calls. */
  protected abstract DataReaderProvider newProvider();

  /** Valid data and its values. The tests do not change it. */
  protected abstract List<SampleData> samples();

  @Test
  void the_descriptor_is_the_same_at_every_call_and_names_each_option_once() {
    DataReaderProvider provider = newProvider();
    DataReaderDescriptor descriptor = provider.descriptor();
    assertEquals(descriptor, provider.descriptor(), "two calls");
    assertEquals(descriptor, newProvider().descriptor(), "two instances");
    List<String> keys = descriptor.options().stream().map(OptionDescriptor::key).toList();
    assertEquals(keys.size(), new HashSet<>(keys).size(), () -> "options: " + keys);
  }

  @Test
  void service_loader_finds_the_data_reader() {
    Registration.assertFound(DataReaderProvider.class, newProvider().getClass());
  }

  @Test
  void making_a_data_reader_uses_no_file_thread_or_native_library() {
    Footprint footprint = Footprint.of(() -> newProvider().descriptor());
    assertEquals(List.of(), footprint.traces(), "the constructor and descriptor() did more");
  }

  @TestFactory
  Stream<DynamicTest> the_data_is_recognized() {
    return each(
        data ->
            assertTrue(
                newProvider().recognizes(data.path()), () -> data.path() + " is not recognized"));
  }

  @Test
  void an_empty_folder_is_not_recognized() throws IOException {
    assertFalse(newProvider().recognizes(folder), "an empty folder is recognized");
  }

  @TestFactory
  Stream<DynamicTest> the_settings_of_the_data_are_valid() {
    return each(
        data -> assertEquals(List.of(), newProvider().validate(options(data)), "its problems"));
  }

  @TestFactory
  Stream<DynamicTest> samples_have_their_values_whatever_the_size_of_blocks() {
    return each(
        data -> {
          for (int most : new int[] {1, 2, 3, 1000}) {
            List<SampleBlock> blocks = read(data, most);
            data.tensors()
                .forEach(
                    (name, expected) ->
                        assertValues(
                            expected, blocks, name, "'%s' in blocks of %d".formatted(name, most)));
            assertEquals(
                data.tensors().keySet(), blocks.get(0).tensors().keySet(), "names of tensors");
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> shared_values_are_with_every_block() {
    return each(
        data -> {
          for (SampleBlock block : read(data, 1)) {
            assertEquals(printed(data.shared()), printed(block.shared()), "the shared values");
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> a_block_has_no_more_samples_than_are_asked_for() {
    return each(
        data -> {
          for (int most : new int[] {1, 2, 3}) {
            read(data, most)
                .forEach(
                    block ->
                        assertTrue(
                            block.count() <= most,
                            () ->
                                "%d samples where %d at most were asked for"
                                    .formatted(block.count(), most)));
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> the_count_is_the_number_of_samples_before_and_after_reading() {
    return each(
        data -> {
          try (DataReader reader = open(data)) {
            assertCount(data, reader.count());
            while (reader.next(2).isPresent()) {
              assertCount(data, reader.count());
            }
            assertCount(data, reader.count());
          }
        });
  }

  private static void assertCount(SampleData data, OptionalLong count) {
    count.ifPresent(number -> assertEquals(data.samples(), number, "count()"));
  }

  @TestFactory
  Stream<DynamicTest> there_is_nothing_behind_the_end() {
    return each(
        data -> {
          try (DataReader reader = open(data)) {
            for (long i = 0; i < data.samples(); i++) {
              assertTrue(reader.next(1).isPresent(), "it ends too early");
            }
            assertEquals(Optional.empty(), reader.next(1), "behind the end");
            assertEquals(Optional.empty(), reader.next(5), "once more behind the end");
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> two_readers_of_one_data_set_do_not_disturb_each_other() {
    return each(
        data -> {
          DataReaderProvider provider = newProvider();
          try (DataReader first = open(provider, data);
              DataReader second = open(provider, data)) {
            List<SampleBlock> ofFirst = new ArrayList<>();
            List<SampleBlock> ofSecond = new ArrayList<>();
            for (long i = 0; i < data.samples(); i++) {
              first.next(1).ifPresent(ofFirst::add);
              second.next(1).ifPresent(ofSecond::add);
            }
            data.tensors()
                .forEach(
                    (name, expected) -> {
                      assertValues(expected, ofFirst, name, "'%s' of one".formatted(name));
                      assertValues(expected, ofSecond, name, "'%s' of the other".formatted(name));
                    });
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> closing_twice_is_harmless_even_before_the_end() {
    return each(
        data -> {
          DataReader reader = open(data);
          reader.next(1);
          reader.close();
          assertDoesNotThrow(reader::close, "the second close()");
        });
  }

  @TestFactory
  Stream<DynamicTest> a_file_that_was_cut_is_read_or_refused_with_a_reason() {
    return each(
        data -> {
          if (!Files.isRegularFile(data.path())) {
            return;
          }
          byte[] whole = Files.readAllBytes(data.path());
          for (int length : new int[] {0, 1, whole.length / 2, whole.length - 1}) {
            Path cut = folder.resolve(length + "-" + data.path().getFileName());
            Files.write(cut, Arrays.copyOf(whole, length));
            var part =
                new SampleData(cut, data.options(), data.inputs(), data.tensors(), data.shared());
            try {
              read(part, 2);
            } catch (KvantException | IOException e) {
              String message = String.valueOf(e.getMessage());
              assertTrue(
                  message.contains(cut.getFileName().toString()),
                  () -> "cut to %d bytes, the file is not named: %s".formatted(length, message));
            } catch (RuntimeException e) {
              fail("cut to %d bytes it fails by %s".formatted(length, e), e);
            }
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> a_changed_file_is_read_or_refused_with_a_reason() {
    return each(
        data -> {
          Path copy = folder.resolve("changed").resolve(data.path().getFileName());
          FolderContent.copy(data.path(), copy);
          var part =
              new SampleData(copy, data.options(), data.inputs(), data.tensors(), data.shared());
          ChangedFiles.check(
              copy,
              problem -> problem instanceof KvantException || problem instanceof IOException,
              () -> read(part, 2));
        });
  }

  @TestFactory
  Stream<DynamicTest> a_pipe_is_refused_at_once() {
    return each(
        data -> {
          Path pipe = NamedPipe.create(folder.resolve("pipe-" + data.path().getFileName()));
          var piped =
              new SampleData(pipe, data.options(), data.inputs(), data.tensors(), data.shared());
          NamedPipe.assertRefused(pipe, () -> read(piped, 2));
          NamedPipe.assertNotOpened(pipe, () -> newProvider().recognizes(pipe));
        });
  }

  private Stream<DynamicTest> each(Check check) {
    List<SampleData> samples = samples();
    assertFalse(samples.isEmpty(), "there are no samples");
    return IntStream.range(0, samples.size())
        .mapToObj(
            i ->
                DynamicTest.dynamicTest(
                    samples.get(i).path().getFileName() + " " + i,
                    () -> check.run(samples.get(i))));
  }

  /** What is checked of each data set. */
  @FunctionalInterface
  private interface Check {
    void run(SampleData data) throws IOException, InterruptedException;
  }

  private Options options(SampleData data) {
    return Options.of(newProvider().descriptor().options(), data.options());
  }

  private DataReader open(SampleData data) throws IOException {
    return open(newProvider(), data);
  }

  private DataReader open(DataReaderProvider provider, SampleData data) throws IOException {
    return provider.open(new DataRequest(data.path(), options(data), data.inputs(), remark -> {}));
  }

  private List<SampleBlock> read(SampleData data, int most) throws IOException {
    List<SampleBlock> blocks = new ArrayList<>();
    try (DataReader reader = open(data)) {
      for (Optional<SampleBlock> next = reader.next(most);
          next.isPresent();
          next = reader.next(most)) {
        blocks.add(next.get());
        assertTrue(blocks.size() <= 1_000_000, "it does not end");
      }
    }
    return blocks;
  }

  /** The rows of blocks, one behind the other, are those of a tensor. */
  private static void assertValues(
      Tensor expected, List<SampleBlock> blocks, String name, String what) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (SampleBlock block : blocks) {
      Tensor tensor = block.tensors().get(name);
      if (tensor == null) {
        throw new AssertionError(what + " is missing");
      }
      assertEquals(expected.elementType(), tensor.elementType(), () -> "the type of " + what);
      assertEquals(
          expected.shape().subList(1, expected.shape().size()),
          tensor.shape().subList(1, tensor.shape().size()),
          () -> "the shape of a sample of " + what);
      ByteBuffer data = tensor.data();
      byte[] rows = new byte[data.remaining()];
      data.get(rows);
      bytes.writeBytes(rows);
    }
    ByteBuffer data = expected.data();
    byte[] wanted = new byte[data.remaining()];
    data.get(wanted);
    int differing = Arrays.mismatch(wanted, bytes.toByteArray());
    assertTrue(
        differing < 0,
        () ->
            "%s differs from the expected values at byte %d; there are %d bytes, expected are %d"
                .formatted(what, differing, bytes.size(), wanted.length));
  }

  private static Map<String, String> printed(Map<String, Tensor> tensors) {
    Map<String, String> printed = new TreeMap<>();
    tensors.forEach(
        (name, tensor) -> {
          ByteBuffer data = tensor.data();
          byte[] bytes = new byte[data.remaining()];
          data.get(bytes);
          printed.put(
              name,
              "%s %s %s".formatted(tensor.elementType(), tensor.shape(), Arrays.toString(bytes)));
        });
    return printed;
  }
}
