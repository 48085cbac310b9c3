package dev.kvant.runtime;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.zip.GZIPInputStream;

/** Recognizes files that no format reads, but that are often given instead of a model. */
final class KnownContent {

  /**
   * What a file has at an offset, and what to say of it.
   *
   * @param magic a character for each byte
   */
  private record Kind(int offset, String magic, String what) {

    static Kind ofHex(String magic, String what) {
      return new Kind(0, characters(HexFormat.of().parseHex(magic)), what);
    }

    boolean isIn(String start) {
      return start.startsWith(magic, offset);
    }
  }

  /** As much as tells all kinds. */
  private static final int SAMPLE = 512;

  private static final String GZIP = "1f8b";
  private static final int TAR_MAGIC = 257;
  private static final Kind TAR =
      new Kind(TAR_MAGIC, "ustar", "it is a tar archive; unpack it and name the model in it");

  private static final Kind ZIP =
      new Kind(
          0,
          "PK\u0003\u0004",
          "it is a zip archive without a model of a known kind; unpack it and name the model in it");

  /** Said only where the format of PyTorch's files is not installed. */
  private static final String PYTORCH =
      "it is a file of torch.save or torch.jit.save; install the format that reads these";

  /** What archives of torch before 0.1.10 begin with. */
  private static final Set<String> EARLY_TORCH =
      Set.of("sys_info", "pickle", "storages", "tensors");

  private static final List<Kind> KINDS =
      List.of(
          TAR,
          Kind.ofHex("fd377a585a00", "it is compressed by xz; decompress it first"),
          new Kind(0, "BZh", "it is compressed by bzip2; decompress it first"),
          Kind.ofHex("28b52ffd", "it is compressed by Zstandard; decompress it first"),
          Kind.ofHex("377abcaf271c", "it is a 7z archive; unpack it and name the model in it"),
          Kind.ofHex(
              "894844460d0a1a0a", "it is an HDF5 file, as Keras writes; export the model to ONNX"),
          new Kind(4, "TFL3", "it is a TensorFlow Lite model; export the original model to ONNX"),
          new Kind(
              0,
              "GGUF",
              "it is a GGUF file, a model of llama.cpp; install the format and the backend 'gguf'"),
          new Kind(0, "\u0093NUMPY", "it is an array of NumPy, not a model"),
          new Kind(
              0,
              "version https://git-lfs",
              "it is a pointer of Git LFS, not the file itself; run 'git lfs pull'"));

  private KnownContent() {}

  /** What a file is, and what to do; empty if it is none of these kinds. */
  static Optional<String> of(Path file) {
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try (InputStream content = new BufferedInputStream(Files.newInputStream(file))) {
      content.mark(SAMPLE);
      String start = characters(content.readNBytes(SAMPLE));
      if (Kind.ofHex(GZIP, "").isIn(start)) {
        content.reset();
        return Optional.of(compressed(content));
      }
      String text = start.strip().toLowerCase(Locale.ROOT);
      if (text.startsWith("<!doctype html") || text.startsWith("<html")) {
        return Optional.of("it is a web page; download the file itself");
      }
      if (TAR.isIn(start) && EARLY_TORCH.contains(text.split("\0", 2)[0])) {
        return Optional.of(
            "it is a checkpoint of torch before 0.1.10; torch.load(FILE, weights_only=False) reads"
                + " it, save what that returns with torch.save");
      }
      if (ZIP.isIn(start)) {
        return Optional.of(start.contains("/data.pkl") ? PYTORCH : ZIP.what());
      }
      return KINDS.stream().filter(kind -> kind.isIn(start)).map(Kind::what).findFirst();
    } catch (IOException e) {
      // Whoever asks has another message.
      return Optional.empty();
    }
  }

  private static String characters(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private static String compressed(InputStream content) {
    try (GZIPInputStream inside = new GZIPInputStream(content)) {
      return TAR.isIn(characters(inside.readNBytes(SAMPLE)))
          ? "it is a compressed tar archive; unpack it with 'tar -xzf' and name the model in it"
          : "it is compressed by gzip; decompress it first";
    } catch (IOException e) {
      return "it is compressed by gzip and damaged; copy or download it again";
    }
  }
}
