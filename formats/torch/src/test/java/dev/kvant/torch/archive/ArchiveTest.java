package dev.kvant.torch.archive;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.KvantException;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.QuantizationCancelledException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArchiveTest {

  private final Path folder;

  ArchiveTest(@TempDir Path folder) {
    this.folder = folder;
  }

  private Path write(String name, String content) {
    Path path = folder.resolve("model.pt");
    try (var writer = ArchiveWriter.create(path, "model")) {
      writer.record(name, content.getBytes(UTF_8));
      writer.finish();
    }
    return path;
  }

  private Path zip(String... namesAndContents) throws IOException {
    Path path = folder.resolve("other.pt");
    try (var zip = new ZipOutputStream(Files.newOutputStream(path))) {
      for (int i = 0; i < namesAndContents.length; i += 2) {
        zip.putNextEntry(new ZipEntry(namesAndContents[i]));
        zip.write(namesAndContents[i + 1].getBytes(UTF_8));
        zip.closeEntry();
      }
    }
    return path;
  }

  private static String text(ArchiveRecord record) {
    return new String(record.readAll(1000), UTF_8);
  }

  private static void assertRefused(Path path, String message) {
    assertThatThrownBy(() -> TorchArchive.open(path))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining(path.getFileName().toString())
        .hasMessageContaining(message);
  }

  @Test
  void a_record_comes_back() {
    try (TorchArchive archive = TorchArchive.open(write("data/0", "hello"))) {
      assertThat(archive.root()).isEqualTo("model");
      assertThat(text(archive.record("data/0"))).isEqualTo("hello");
    }
  }

  @Test
  void a_part_of_a_record_is_read_alone() {
    try (TorchArchive archive = TorchArchive.open(write("data/0", "hello"))) {
      ByteBuffer target = ByteBuffer.allocate(10).position(2).limit(5);

      archive.record("data/0").read(1, target);

      assertThat(new String(target.array(), 2, 3, UTF_8)).isEqualTo("ell");
      assertThat(target.remaining()).isZero();
    }
  }

  @Test
  void reading_beyond_the_end_of_a_record_is_an_error() {
    try (TorchArchive archive = TorchArchive.open(write("data/0", "hello"))) {
      assertThatThrownBy(() -> archive.record("data/0").read(3, ByteBuffer.allocate(3)))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void records_start_at_multiples_of_64() throws IOException {
    Path path = folder.resolve("model.pt");
    try (var writer = ArchiveWriter.create(path, "model")) {
      for (int i = 0; i < 70; i++) {
        writer.record("data/" + i, ("<" + i + ">").getBytes(UTF_8));
      }
      writer.finish();
    }

    String bytes = Files.readString(path, ISO_8859_1);
    for (int i = 0; i < 70; i++) {
      assertThat(bytes.indexOf("<" + i + ">") % ArchiveWriter.ALIGNMENT).isZero();
    }
  }

  @Test
  void equal_records_give_equal_files() throws IOException {
    byte[] first = Files.readAllBytes(write("data/0", "hello"));
    byte[] second = Files.readAllBytes(write("data/0", "hello"));

    assertThat(second).isEqualTo(first);
  }

  @Test
  void checksums_are_right() throws IOException {
    try (var zip = new ZipFile(write("data/0", "hello").toFile())) {
      var crc = new CRC32();
      crc.update("hello".getBytes(UTF_8));

      assertThat(zip.getEntry("model/data/0").getCrc()).isEqualTo(crc.getValue());
      assertThat(zip.getEntry("model/data/0").getMethod()).isEqualTo(ZipEntry.STORED);
    }
  }

  @Test
  void a_record_that_is_read_whole_must_have_its_checksum() throws IOException {
    Path stored = write("data.pkl", "hello");
    Path deflated = zip("model/code/a.py", "hello");
    replace(stored, "hello".getBytes(UTF_8), "jello".getBytes(UTF_8));
    replace(deflated, checksum("hello"), checksum("jello"));

    for (Path path : List.of(stored, deflated)) {
      try (TorchArchive archive = TorchArchive.open(path)) {
        assertThatThrownBy(() -> archive.records().iterator().next().readAll(1000))
            .isInstanceOf(ModelFormatException.class)
            .hasMessageContaining("is damaged: its checksum is")
            .hasMessageContaining(path.getFileName().toString());
      }
    }
  }

  /** As {@code torch.serialization.set_crc32_options(False)} has them written. */
  @Test
  void a_checksum_of_zero_is_none() throws IOException {
    Path path = write("data.pkl", "hello");
    replace(path, checksum("hello"), new byte[4]);

    try (TorchArchive archive = TorchArchive.open(path)) {
      assertThat(text(archive.record("data.pkl"))).isEqualTo("hello");
    }
  }

  private static byte[] checksum(String text) {
    var crc = new CRC32();
    crc.update(text.getBytes(UTF_8));
    return ByteBuffer.allocate(4)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt((int) crc.getValue())
        .array();
  }

  /** Replaces bytes wherever they stand. */
  private static void replace(Path path, byte[] old, byte[] other) throws IOException {
    String bytes = Files.readString(path, ISO_8859_1);
    String changed = bytes.replace(new String(old, ISO_8859_1), new String(other, ISO_8859_1));
    assertThat(changed).isNotEqualTo(bytes);
    Files.writeString(path, changed, ISO_8859_1);
  }

  @Test
  void records_are_copied_as_they_are_and_large_ones_in_pieces() throws IOException {
    String large = "0123456789".repeat(100_000);
    Path source = zip("model/code/a.py", large);
    Path target = folder.resolve("copy.pt");

    try (var archive = TorchArchive.open(source);
        var writer = ArchiveWriter.create(target, "copy")) {
      writer.record("data/0", large.getBytes(UTF_8));
      writer.copy(archive.record("code/a.py"));
      writer.finish();
    }
    try (var once = TorchArchive.open(target);
        var writer = ArchiveWriter.create(source, "again")) {
      once.records().forEach(writer::copy);
      writer.finish();
    }

    try (var archive = TorchArchive.open(source)) {
      assertThat(archive.record("data/0").readAll(2_000_000)).isEqualTo(large.getBytes(UTF_8));
      assertThat(archive.record("code/a.py").readAll(2_000_000)).isEqualTo(large.getBytes(UTF_8));
    }
    assertThat(Files.size(source)).isLessThan(1_100_000);
  }

  @Test
  void a_record_of_another_size_than_announced_is_an_error() {
    try (var writer = ArchiveWriter.create(folder.resolve("model.pt"), "model")) {
      assertThatThrownBy(
              () ->
                  writer.record(
                      "data/0", 4, channel -> channel.write(ByteBuffer.wrap(new byte[3]))))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("got 3 bytes, 4 were announced");
    }
  }

  @Test
  void a_record_written_twice_is_an_error() {
    try (var writer = ArchiveWriter.create(folder.resolve("model.pt"), "model")) {
      writer.record("data/0", new byte[0]);

      assertThatThrownBy(() -> writer.record("data/0", new byte[0]))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("data/0");
    }
  }

  @Test
  void writing_where_nothing_can_be_written_is_an_error() {
    assertThatThrownBy(() -> ArchiveWriter.create(folder.resolve("no/such/folder.pt"), "model"))
        .isInstanceOf(KvantException.class)
        .hasMessageStartingWith(folder.resolve("no/such") + " cannot be written to");
  }

  @Test
  void a_missing_file_is_an_error() {
    assertRefused(folder.resolve("missing.pt"), "cannot be read");
  }

  @Test
  void a_missing_record_is_an_error_that_names_it() {
    try (TorchArchive archive = TorchArchive.open(write("data/0", "hello"))) {
      assertThatThrownBy(() -> archive.record("data/1"))
          .isInstanceOf(ModelFormatException.class)
          .hasMessageContaining("data/1");
    }
  }

  @Test
  void two_records_of_one_name_are_an_error() throws IOException {
    Path path = zip("m/data/0", "first", "m/data/1", "second");
    byte[] bytes = Files.readAllBytes(path);
    for (int i = 0; i < bytes.length - 8; i++) {
      if (new String(bytes, i, 8, UTF_8).equals("m/data/1")) {
        bytes[i + 7] = '0';
      }
    }
    Files.write(path, bytes);

    assertRefused(path, "two records are named 'data/0'");
  }

  @Test
  void a_deflated_record_that_lies_about_its_size_is_an_error() throws IOException {
    for (int claimed : new int[] {4, 6}) {
      Path path = zip("m/code/a.py", "hello");
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
      bytes.putInt(centralDirectory(bytes) + 24, claimed);
      Files.write(path, bytes.array());

      try (TorchArchive archive = TorchArchive.open(path)) {
        assertThatThrownBy(() -> archive.record("code/a.py").readAll(100))
            .isInstanceOf(ModelFormatException.class)
            .hasMessageContaining("its size differs from the announced");
      }
    }
  }

  @Test
  void records_that_overlap_are_an_error() throws IOException {
    Path path = zip("m/a", "first", "m/b", "second");
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(centralDirectory(bytes) + 20, 60);
    Files.write(path, bytes.array());

    assertRefused(path, "exceeds its space");
  }

  private static int centralDirectory(ByteBuffer bytes) {
    for (int i = 0; i < bytes.limit() - 4; i++) {
      if (bytes.getInt(i) == 0x02014b50) {
        return i;
      }
    }
    throw new IllegalStateException("no central directory");
  }

  @Test
  void an_archive_cut_in_half_is_an_error() throws IOException {
    Path path = write("data/0", "hello");
    byte[] bytes = Files.readAllBytes(path);
    Files.write(path, Arrays.copyOf(bytes, bytes.length / 2));

    assertRefused(path, "cut short or damaged");
  }

  @Test
  void a_file_that_became_shorter_is_an_error() throws IOException {
    Path path = write("data/0", "hello".repeat(1000));
    try (TorchArchive archive = TorchArchive.open(path)) {
      Files.write(path, new byte[100]);

      assertThatThrownBy(() -> archive.record("data/0").readAll(10_000))
          .isInstanceOf(ModelFormatException.class)
          .hasMessageContaining("became shorter");
    }
  }

  @Test
  void an_interrupt_cancels_one_read_and_leaves_the_archive_usable() {
    try (TorchArchive archive = TorchArchive.open(write("data/0", "hello"))) {
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> text(archive.record("data/0")))
          .isInstanceOf(QuantizationCancelledException.class);
      assertThat(Thread.interrupted()).isTrue();

      assertThat(text(archive.record("data/0"))).isEqualTo("hello");
    }
  }

  @Test
  void an_interrupt_cancels_opening_and_writing() {
    Path path = write("data/0", "hello");
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> TorchArchive.open(path))
        .isInstanceOf(QuantizationCancelledException.class);
    assertThat(Thread.interrupted()).isTrue();

    try (var writer = ArchiveWriter.create(path, "model")) {
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> writer.record("data/0", new byte[100]))
          .isInstanceOf(QuantizationCancelledException.class);
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  void names_in_messages_are_one_short_line() throws IOException {
    Path path = zip("m/\033[31m\n" + "x".repeat(1000), "first");
    try (TorchArchive archive = TorchArchive.open(path)) {
      assertThat(archive.records().iterator().next().toString())
          .startsWith("record '\\u001b[31m\\nxxx")
          .hasSizeLessThan(600);
    }
  }

  @Test
  void a_closed_archive_cannot_be_read_and_can_be_closed_again() {
    TorchArchive archive = TorchArchive.open(write("data/0", "hello"));
    archive.close();
    archive.close();

    assertThatThrownBy(() -> text(archive.record("data/0")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("was closed");
  }

  @Test
  void records_carry_no_time() throws IOException {
    try (var zip = new ZipFile(write("data/0", "hello").toFile())) {
      assertThat(zip.stream().map(ZipEntry::getTimeLocal))
          .containsExactly(LocalDateTime.of(1980, 1, 1, 0, 0));
    }
  }

  @Test
  void an_interrupted_thread_writes_no_record_and_stays_interrupted() {
    try (var writer = ArchiveWriter.create(folder.resolve("model.pt"), "model")) {
      Thread.currentThread().interrupt();

      assertThatThrownBy(() -> writer.record("data/0", "hello".getBytes(UTF_8)))
          .isInstanceOf(QuantizationCancelledException.class)
          .hasMessageContaining("model.pt");
      assertThat(Thread.interrupted()).isTrue();
    }
  }
}
