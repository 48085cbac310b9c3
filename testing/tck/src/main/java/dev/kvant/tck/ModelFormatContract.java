package dev.kvant.tck;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kvant.api.ElementType;
import dev.kvant.api.KvantException;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.TensorDescription;
import dev.kvant.spi.ModelFormat;
import dev.kvant.spi.RecognizedModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.ThrowingConsumer;
import org.junit.jupiter.api.io.TempDir;

/**
 * The tests that every model format passes. Its author extends this class and supplies a factory
 * and sample models:
 *
 * <pre>{@code
 * class MyFormatContractTest extends ModelFormatContract {
 *
 *   @Override
 *   protected ModelFormat newFormat() {
 *     return new MyFormat();
 *   }
 *
 *   @Override
 *   protected List<Path> samples() {
 *     return List.of(Path.of("src/test/resources/classifier.my"));
 *   }
 * }
 * }</pre>
 *
 * @since 0.1.0
 */
@DisplayNameGeneration(ReplaceUnderscores.class)
public abstract class ModelFormatContract {

  private static final int READERS = 4;
  private static final long MOST_ELEMENTS = 1 << 12;

  @TempDir Path folder;

  /** For subclasses. */
  protected ModelFormatContract() {}

  /** A new instance, created with the constructor that {@link ServiceLoader} calls. */
  protected abstract ModelFormat newFormat();

  /** Valid model files or folders. The tests use copies. */
  protected abstract List<Path> samples();

  @Test
  void the_ids_are_lower_case_distinct_and_the_same_at_every_call() {
    ModelFormat format = newFormat();
    List<String> ids = format.ids();
    assertFalse(ids.isEmpty(), "there is no id");
    assertEquals(ids.size(), new HashSet<>(ids).size(), () -> "ids: " + ids);
    ids.forEach(
        id ->
            assertTrue(
                id.matches("[a-z0-9][a-z0-9._-]*"),
                "the id '%s' must be lower case letters, digits, dots, dashes and underscores"
                    .formatted(id)));
    assertEquals(ids, format.ids(), "two calls");
    assertEquals(ids, newFormat().ids(), "two instances");
  }

  @Test
  void service_loader_finds_the_format() {
    Registration.assertFound(ModelFormat.class, newFormat().getClass());
  }

  @Test
  void making_a_format_uses_no_file_thread_or_native_library() {
    Footprint footprint = Footprint.of(() -> newFormat().ids());
    assertEquals(List.of(), footprint.traces(), "the constructor and ids() did more");
  }

  @TestFactory
  Stream<DynamicTest> a_model_is_recognized_by_its_content_whatever_its_name() {
    return each(
        copy -> {
          for (String name : List.of("model", "model.txt", "MODEL.ONNX", "model.pth")) {
            Path renamed = Files.move(copy, copy.resolveSibling(name));
            assertTrue(newFormat().recognizes(renamed), () -> "recognized as " + name);
            assertOpens(renamed);
            Files.move(renamed, copy);
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> a_probed_model_is_the_one_that_is_opened() {
    return each(
        copy -> {
          probe(copy).close();
          assertOpens(copy);
          try (RecognizedModel recognized = probe(copy);
              QuantizableModel probed = recognized.open();
              QuantizableModel opened = newFormat().open(copy)) {
            assertEquals(opened.format(), probed.format(), "format()");
            assertEquals(opened.modules(), probed.modules(), "modules()");
            assertEquals(opened.tensors().keySet(), probed.tensors().keySet(), "tensors()");
          }
        });
  }

  private RecognizedModel probe(Path path) throws IOException {
    return newFormat()
        .probe(path)
        .orElseThrow(() -> new AssertionError("probe() does not recognize " + path));
  }

  private void assertOpens(Path path) {
    try (QuantizableModel model = newFormat().open(path)) {
      assertFalse(model.modules().isEmpty(), () -> path.getFileName() + " has no modules");
    }
  }

  @TestFactory
  Stream<DynamicTest> other_content_is_not_recognized_whatever_its_name() throws IOException {
    List<Path> others = new ArrayList<>();
    for (Path sample : samples()) {
      String name = sample.getFileName().toString();
      others.add(write("text", name, "This is not a model.\n".getBytes(StandardCharsets.UTF_8)));
      others.add(write("one byte", name, new byte[1]));
      others.add(write("noise", name, noise()));
      others.add(write("zip", name, zip()));
      others.add(Files.createDirectories(folder.resolve("empty folder").resolve(name)));
    }
    return others.stream()
        .distinct()
        .map(
            other ->
                DynamicTest.dynamicTest(
                    folder.relativize(other).toString(),
                    () -> assertFalse(newFormat().recognizes(other))));
  }

  @TestFactory
  Stream<DynamicTest> a_pipe_is_refused_at_once() {
    return each(
        copy -> {
          Path pipe = NamedPipe.create(copy.resolveSibling("pipe"));
          NamedPipe.assertRefused(pipe, () -> newFormat().open(pipe).close());
          NamedPipe.assertNotOpened(pipe, () -> newFormat().recognizes(pipe));
        });
  }

  private Path write(String kind, String name, byte[] content) throws IOException {
    Path file = folder.resolve(kind).resolve(name);
    Files.createDirectories(file.getParent());
    return Files.write(file, content);
  }

  private static byte[] noise() {
    byte[] noise = new byte[4096];
    new Random(4096).nextBytes(noise);
    return noise;
  }

  private static byte[] zip() throws IOException {
    var bytes = new java.io.ByteArrayOutputStream();
    try (var zip = new ZipOutputStream(bytes)) {
      zip.putNextEntry(new ZipEntry("readme.txt"));
      zip.write("This is not a model.".getBytes(StandardCharsets.UTF_8));
    }
    return bytes.toByteArray();
  }

  @TestFactory
  Stream<DynamicTest> recognizing_and_opening_leave_the_file_as_it_was() {
    return each(
        copy -> {
          FolderContent before = FolderContent.of(folderOf(copy));
          newFormat().recognizes(copy);
          assertOpens(copy);
          assertEquals(before, FolderContent.of(folderOf(copy)));
        });
  }

  @TestFactory
  Stream<DynamicTest> an_opened_model_tells_its_file_and_one_of_the_ids() {
    return eachModel(
        model -> {
          List<String> ids = newFormat().ids();
          assertTrue(
              ids.contains(model.format()),
              () -> "'%s' is not among the ids %s".formatted(model.format(), ids));
          assertTrue(Files.exists(model.source()), () -> model.source() + " is not there");
        });
  }

  @TestFactory
  Stream<DynamicTest> modules_have_names_of_their_own_and_stand_below_their_parents() {
    return eachModel(
        model -> {
          Set<String> seen = new HashSet<>();
          Set<String> all =
              model.modules().stream().map(ModuleDescription::name).collect(Collectors.toSet());
          for (ModuleDescription module : model.modules()) {
            String name = module.name();
            assertFalse(name.isBlank(), "the root is not among the modules");
            assertTrue(seen.add(name), () -> "two modules are named " + name);
            int dot = name.lastIndexOf('.');
            String parent = dot < 0 ? "" : name.substring(0, dot);
            assertTrue(
                !all.contains(parent) || seen.contains(parent),
                () -> "%s precedes its parent %s".formatted(name, parent));
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> tensors_have_names_of_their_own_within_a_module() {
    return eachModel(
        model -> {
          for (ModuleDescription module : model.modules()) {
            List<String> names = module.tensors().stream().map(TensorDescription::name).toList();
            assertEquals(
                names.size(),
                new HashSet<>(names).size(),
                () -> "tensors of %s: %s".formatted(module.name(), names));
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> each_described_tensor_can_be_read_under_its_qualified_name() {
    return eachModel(
        model ->
            modulesAndRoot(model)
                .forEach(
                    module ->
                        module
                            .tensors()
                            .forEach(
                                tensor -> {
                                  for (String name : module.names()) {
                                    assertDescribed(model, qualified(name, tensor.name()), tensor);
                                  }
                                })));
  }

  private static Stream<ModuleDescription> modulesAndRoot(QuantizableModel model) {
    return Stream.concat(model.root().stream(), model.modules().stream());
  }

  private static String qualified(String module, String tensor) {
    return module.isEmpty() ? tensor : module + "." + tensor;
  }

  private static void assertDescribed(
      QuantizableModel model, String name, TensorDescription description) {
    ModelTensor tensor = model.tensors().get(name);
    assertNotNull(tensor, () -> "tensors() has no '%s'".formatted(name));
    assertAll(
        name,
        () -> assertEquals(description.elementType(), tensor.elementType(), "element type"),
        () -> assertEquals(description.shape(), tensor.shape(), "shape"),
        () -> assertEquals(description.storage(), tensor.identity(), "identity"));
  }

  @TestFactory
  Stream<DynamicTest> a_tensor_reads_the_same_as_a_whole_and_in_pieces_of_any_size() {
    return eachModel(
        model ->
            model
                .tensors()
                .forEach(
                    (name, tensor) -> {
                      ByteBuffer whole = read(tensor, tensor.elements(), ByteOrder.LITTLE_ENDIAN);
                      for (long piece : List.of(1L, 7L, tensor.elements() / 2 + 1)) {
                        assertEquals(
                            whole,
                            read(tensor, wholeBlocks(tensor, piece), ByteOrder.BIG_ENDIAN),
                            () -> "%s, %d elements at a time".formatted(name, piece));
                      }
                    }));
  }

  private static long wholeBlocks(ModelTensor tensor, long elements) {
    int block = tensor.elementType().blockElements();
    return (elements + block - 1) / block * block;
  }

  /** Reads the first elements of a tensor, in pieces of that many. */
  private static ByteBuffer read(ModelTensor tensor, long piece, ByteOrder order) {
    long elements = Math.min(tensor.elements(), MOST_ELEMENTS);
    ByteBuffer content =
        ByteBuffer.allocate((int) tensor.elementType().bytes(elements)).order(order);
    for (long first = 0; first < elements; first += piece) {
      long count = Math.min(piece, elements - first);
      content.limit(content.position() + (int) tensor.elementType().bytes(count));
      tensor.read(first, content);
      assertFalse(content.hasRemaining(), "the buffer is not full");
    }
    return content.flip();
  }

  @TestFactory
  Stream<DynamicTest> a_read_beyond_the_end_of_a_tensor_is_refused() {
    return eachModel(
        model ->
            model
                .tensors()
                .forEach(
                    (name, tensor) -> {
                      ElementType type = tensor.elementType();
                      ByteBuffer target = ByteBuffer.allocate(type.blockBytes());
                      long behind = wholeBlocks(tensor, tensor.elements());
                      assertThrows(
                          IndexOutOfBoundsException.class, () -> tensor.read(behind, target), name);
                    }));
  }

  @TestFactory
  Stream<DynamicTest> tensor_bytes_count_each_storage_once() {
    return eachModel(
        model -> {
          Map<String, Long> largestByStorage = new HashMap<>();
          for (ModuleDescription module : model.modules()) {
            for (TensorDescription tensor : module.tensors()) {
              largestByStorage.merge(tensor.storage(), tensor.bytes(), Math::max);
            }
          }
          long least = largestByStorage.values().stream().mapToLong(Long::longValue).sum();
          assertTrue(
              model.tensorBytes() >= least,
              () ->
                  "tensorBytes() is %d, and the modules' storages hold %d"
                      .formatted(model.tensorBytes(), least));
          assertTrue(
              model.tensorBytes() <= sizeOnDisk(model.source()),
              () -> "tensorBytes() is more than the file holds: " + model.tensorBytes());
        });
  }

  private static long sizeOnDisk(Path path) throws IOException {
    long size = 0;
    try (Stream<Path> files = Files.walk(path)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        size += Files.size(file);
      }
    }
    return size;
  }

  @TestFactory
  Stream<DynamicTest> a_file_is_described_the_same_each_time_it_is_opened() {
    return each(
        copy -> {
          try (QuantizableModel first = newFormat().open(copy);
              QuantizableModel second = newFormat().open(copy)) {
            assertEquals(first.modules(), second.modules());
            assertEquals(first.modules(), first.modules(), "asked twice");
            assertEquals(first.tensorBytes(), second.tensorBytes());
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> closing_twice_is_harmless_and_leaves_other_models_open() {
    return each(
        copy -> {
          QuantizableModel first = newFormat().open(copy);
          try (QuantizableModel second = newFormat().open(copy)) {
            List<ModuleDescription> modules = second.modules();
            first.close();
            assertAll(
                () -> assertDoesNotThrow(first::close, "closed twice"),
                () -> assertEquals(modules, second.modules(), "the other model"));
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> closing_lets_go_of_the_file() {
    return each(
        copy -> {
          Assumptions.assumeTrue(
              Files.exists(DESCRIPTORS), "open files can be listed on Linux only");
          QuantizableModel model = newFormat().open(copy);
          model.modules();
          model.close();
          assertEquals(Set.of(), openFilesIn(folderOf(copy)), "still open");
        });
  }

  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

  private static Path folderOf(Path copy) {
    return Objects.requireNonNull(copy.getParent(), "parent");
  }

  /** What a descriptor is open on; itself if it was closed in the meantime. */
  private static Path target(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor);
    } catch (IOException e) {
      return descriptor;
    }
  }

  private static Set<Path> openFilesIn(Path folder) throws IOException {
    Set<Path> open = new TreeSet<>();
    try (Stream<Path> descriptors = Files.list(DESCRIPTORS)) {
      Path real = folder.toRealPath();
      descriptors
          .map(ModelFormatContract::target)
          .filter(file -> file.startsWith(real))
          .forEach(open::add);
    }
    return open;
  }

  @TestFactory
  Stream<DynamicTest> a_file_that_was_cut_short_is_refused_as_a_damaged_model() {
    return each(
        copy -> {
          Path file = largestFile(copy);
          byte[] content = Files.readAllBytes(file);
          for (int length : List.of(content.length / 2, content.length - 1)) {
            Files.write(file, Arrays.copyOf(content, length));
            if (newFormat().recognizes(copy)) {
              assertThrows(
                  ModelFormatException.class,
                  () -> newFormat().open(copy).close(),
                  () -> "%d of %d bytes".formatted(length, content.length));
            }
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> a_changed_file_is_read_or_refused_with_a_reason() {
    return each(
        copy ->
            ChangedFiles.check(
                copy, problem -> problem instanceof KvantException, () -> readAll(copy)));
  }

  private void readAll(Path path) throws IOException {
    ModelFormat format = newFormat();
    if (!format.recognizes(path)) {
      return;
    }
    try (QuantizableModel model = format.open(path)) {
      modulesAndRoot(model).forEach(module -> module.tensors().forEach(TensorDescription::bytes));
      model.inputs();
      model.tensorBytes();
      model.record();
      model.quantizedBy();
      model.tensors().values().forEach(ModelFormatContract::readStart);
    }
  }

  private static void readStart(ModelTensor tensor) {
    read(tensor, wholeBlocks(tensor, MOST_ELEMENTS), ByteOrder.LITTLE_ENDIAN);
  }

  /** The model itself, or what its folder has most of: where tensors are. */
  private static Path largestFile(Path model) throws IOException {
    try (Stream<Path> files = Files.walk(model)) {
      return files
          .filter(Files::isRegularFile)
          .max(Comparator.comparingLong((Path file) -> file.toFile().length()))
          .orElseThrow();
    }
  }

  @TestFactory
  Stream<DynamicTest> several_threads_can_open_models_with_one_format() {
    return each(
        copy -> {
          ModelFormat format = newFormat();
          Callable<List<ModuleDescription>> read =
              () -> {
                format.recognizes(copy);
                try (QuantizableModel model = format.open(copy)) {
                  return model.modules();
                }
              };
          List<ModuleDescription> alone = read.call();
          ExecutorService threads = Executors.newFixedThreadPool(READERS);
          try {
            List<Callable<List<ModuleDescription>>> all =
                Stream.generate(() -> read).limit(READERS).toList();
            for (Future<List<ModuleDescription>> together : threads.invokeAll(all)) {
              assertEquals(alone, assertDoesNotThrow(() -> together.get()));
            }
          } finally {
            threads.shutdownNow();
          }
        });
  }

  private Stream<DynamicTest> eachModel(ThrowingConsumer<QuantizableModel> test) {
    return each(
        copy -> {
          try (QuantizableModel model = newFormat().open(copy)) {
            test.accept(model);
          }
        });
  }

  /** A test for each sample, with a copy of it that lies alone. */
  private Stream<DynamicTest> each(ThrowingConsumer<Path> test) {
    List<Path> samples = samples();
    if (samples.isEmpty()) {
      throw new AssertionError("samples() supplies none");
    }
    Function<Path, String> name = sample -> sample.getFileName().toString();
    return samples.stream()
        .map(
            sample ->
                DynamicTest.dynamicTest(
                    name.apply(sample),
                    () ->
                        test.accept(
                            new SampleModel(name.apply(sample), sample, newFormat())
                                .copyTo(Files.createTempDirectory(folder, "sample")))));
  }
}
