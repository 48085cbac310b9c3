package dev.kvant.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.kvant.api.QuantizationMode;
import dev.kvant.torch.script.ForwardMethod;
import dev.kvant.torch.script.LinearProducts;
import dev.kvant.torch.script.ScriptCode;
import dev.kvant.torch.script.ScriptType;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

class ScriptFuzzTest {

  private static final Map<String, byte[]> ARCHIVE = archive();

  /** A module of one Linear, as torch writes it. */
  private static Map<String, byte[]> archive() {
    Map<String, byte[]> records = new LinkedHashMap<>();
    try (ZipInputStream in =
        new ZipInputStream(
            Objects.requireNonNull(ScriptFuzzTest.class.getResourceAsStream("linear.pt")))) {
      for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        records.put(entry.getName(), in.readAllBytes());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return records;
  }

  private static Path with(String ending, byte[] content, String name) throws IOException {
    Path file = Input.place(name);
    try (OutputStream out = Files.newOutputStream(file);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (Map.Entry<String, byte[]> record : ARCHIVE.entrySet()) {
        zip.putNextEntry(new ZipEntry(record.getKey()));
        zip.write(record.getKey().endsWith(ending) ? content : record.getValue());
      }
    }
    file.toFile().deleteOnExit();
    return file;
  }

  @FuzzTest
  void parses(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(
        () -> {
          ScriptCode code = ScriptCode.parse(Map.of("code/__torch__.py", input.text()));
          for (ScriptType type : code.types()) {
            ForwardMethod.of(type);
            ForwardMethod.isCalled(type);
            LinearProducts.of(code, type);
            code.reads(type, "weight");
            code.writers(type, "weight");
            code.given(type, "forward", "input");
          }
          code.untraced("weight");
          code.changedTexts();
        });
  }

  @FuzzTest
  void rewrites(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(
        () -> {
          Path file = with("/modules/linear.py", bytes, "code.pt");
          Models.inspect(file);
          Models.quantize(file, "torchao", QuantizationMode.DYNAMIC_PTQ);
        });
  }

  @FuzzTest
  void reads_the_tree(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(() -> Models.inspect(with("/data.pkl", bytes, "tree.pt")));
  }
}
