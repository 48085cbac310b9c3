package dev.kvant.runtime;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ModelFormatException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("A file that is given instead of a model")
class KnownContentTest {

  @TempDir private Path folder;

  private Path file(byte[] content) throws IOException {
    return Files.write(folder.resolve("model.pt"), content);
  }

  private static byte[] tar(String firstName) {
    byte[] tar = new byte[1024];
    byte[] name = firstName.getBytes(ISO_8859_1);
    System.arraycopy(name, 0, tar, 0, name.length);
    System.arraycopy("ustar".getBytes(ISO_8859_1), 0, tar, 257, 5);
    return tar;
  }

  private static byte[] gzip(byte[] content) throws IOException {
    var compressed = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(compressed)) {
      gzip.write(content);
    }
    return compressed.toByteArray();
  }

  @Test
  void that_is_a_tar_archive_is_to_be_unpacked() throws IOException {
    assertThat(KnownContent.of(file(tar("model/model.pt"))))
        .contains("it is a tar archive; unpack it and name the model in it");
    assertThat(KnownContent.of(file(gzip(tar("model/model.pt")))).orElseThrow())
        .startsWith("it is a compressed tar archive; unpack it with 'tar -xzf'");
  }

  @ParameterizedTest
  @CsvSource({
    "archive/data.pkl, it is a file of torch.save or torch.jit.save",
    "photos/cat.png, it is a zip archive without a model of a known kind"
  })
  void that_is_a_zip_is_told_by_its_first_entry(String entry, String message) throws IOException {
    var content = new ByteArrayOutputStream();
    try (var zip = new ZipOutputStream(content)) {
      zip.putNextEntry(new ZipEntry(entry));
    }

    assertThat(KnownContent.of(file(content.toByteArray())).orElseThrow()).startsWith(message);
  }

  @ParameterizedTest
  @CsvSource({"sys_info", "pickle", "storages", "tensors"})
  void that_an_early_torch_wrote_is_to_be_saved_again(String name) throws IOException {
    assertThat(KnownContent.of(file(tar(name))).orElseThrow())
        .startsWith("it is a checkpoint of torch before 0.1.10; torch.load(FILE");
  }

  @Test
  void that_is_compressed_is_to_be_decompressed() throws IOException {
    assertThat(KnownContent.of(file(gzip(new byte[] {8, 7, 18, 0}))))
        .contains("it is compressed by gzip; decompress it first");
    assertThat(KnownContent.of(file(new byte[] {0x1f, (byte) 0x8b, 8})))
        .contains("it is compressed by gzip and damaged; copy or download it again");
  }

  @ParameterizedTest
  @CsvSource({
    "fd377a585a000004, compressed by xz",
    "425a6839314159, compressed by bzip2",
    "28b52ffd0458, compressed by Zstandard",
    "377abcaf271c0004, a 7z archive",
    "894844460d0a1a0a00, an HDF5 file",
    "1c00000054464c33, a TensorFlow Lite model",
    "4747554603000000, a GGUF file",
    "934e554d50590100, an array of NumPy",
    "504b030414000000, a zip archive"
  })
  void is_named_by_its_content(String hex, String what) throws IOException {
    assertThat(KnownContent.of(file(HexFormat.of().parseHex(hex))).orElseThrow()).contains(what);
  }

  @Test
  void that_a_server_or_git_gave_instead_is_to_be_fetched() throws IOException {
    assertThat(KnownContent.of(file("\n<!DOCTYPE html><html>".getBytes(ISO_8859_1))))
        .contains("it is a web page; download the file itself");
    assertThat(
            KnownContent.of(
                file("version https://git-lfs.github.com/spec/v1\n".getBytes(ISO_8859_1))))
        .contains("it is a pointer of Git LFS, not the file itself; run 'git lfs pull'");
  }

  @Test
  void of_no_known_kind_gets_no_name() throws IOException {
    assertThat(KnownContent.of(file("what is this".getBytes(ISO_8859_1)))).isEmpty();
    assertThat(KnownContent.of(file(new byte[] {1}))).isEmpty();
    assertThat(KnownContent.of(folder)).isEmpty();
  }

  @Test
  void is_named_in_the_message_about_models_of_no_format() throws IOException {
    Path archive = file(tar("model.pt"));

    try (Kvant kvant = Kvant.builder().withoutDiscovery().build()) {
      assertThatThrownBy(() -> kvant.load(archive))
          .isInstanceOf(ModelFormatException.class)
          .hasMessageContaining(
              "is not a model of any installed format; it is a tar archive; unpack it");
    }
  }
}
