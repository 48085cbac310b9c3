package dev.kvant.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ElementType;
import dev.kvant.api.KvantException;
import dev.kvant.api.ModelFormatException;
import dev.kvant.torch.pickle.PickleBool;
import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleInt;
import dev.kvant.torch.pickle.PickleList;
import dev.kvant.torch.pickle.PickleNone;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleReference;
import dev.kvant.torch.pickle.PickleText;
import dev.kvant.torch.pickle.PickleTuple;
import dev.kvant.torch.pickle.PickleValue;
import dev.kvant.torch.pickle.PickleWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints of torch before 1.6 that torch of today does not write. */
class LegacyCheckpointTest {

  private static final byte[] MAGIC = {
    (byte) 0x80,
    2,
    (byte) 0x8a,
    10,
    'l',
    (byte) 0xfc,
    (byte) 0x9c,
    'F',
    (byte) 0xf9,
    ' ',
    'j',
    (byte) 0xa8,
    'P',
    0x19,
    '.'
  };

  private final Path file;

  LegacyCheckpointTest(@TempDir Path folder) {
    this.file = folder.resolve("model.pth");
  }

  @Test
  void a_storage_may_be_a_part_of_another() {
    PickleTuple part = PickleTuple.of(new PickleText("view"), PickleInt.of(2), PickleInt.of(4));
    write(version(1001), machine(true), tensor("0", 6, part, 1, 2, true), List.of("0"), 6);

    try (TorchModel model = new TorchFormat().open(file)) {
      // Storage 0 to 5, a part of it from 2, the tensor from 1 in that part.
      assertThat(floats(model)).containsExactly(3, 4);
    }
  }

  @Test
  void a_part_beyond_its_storage_is_refused() {
    PickleTuple part =
        PickleTuple.of(new PickleText("view"), PickleInt.of(Long.MAX_VALUE), PickleInt.of(4));
    write(version(1001), machine(true), tensor("0", 6, part, 1, 2, true), List.of("0"), 6);

    assertRefused("reaches outside its storage");
  }

  @Test
  void tensors_of_torch_before_0_4_are_read() {
    write(
        version(1001),
        machine(true),
        tensor("0", 6, PickleNone.NONE, 1, 2, false),
        List.of("0"),
        6);

    try (TorchModel model = new TorchFormat().open(file)) {
      assertThat(floats(model)).containsExactly(1, 2);
    }
  }

  @Test
  void bad_files_have_one_clear_error_each() {
    PickleObject good = tensor("0", 6, PickleNone.NONE, 0, 2, true);
    write(version(1000), machine(true), good, List.of("0"), 6);
    assertRefused("its version is not 1001");

    write(version(1001), machine(false), good, List.of("0"), 6);
    assertRefused("is big-endian");

    write(version(1001), machine(true), good, List.of(), 6);
    assertRefused("has no storage '0'");

    write(version(1001), machine(true), good, List.of("0", "1"), 6);
    assertRefused("storage '1' is of no tensor");

    write(version(1001), machine(true), good, List.of("0", "0"), 6);
    assertRefused("storage '0' comes twice");

    write(version(1001), machine(true), good, List.of("0"), 1L << 61);
    assertRefused("storage '0' has 2305843009213693952 elements of 4 bytes, but");

    write(version(1001), machine(true), good, List.of("0"), -1);
    assertRefused("storage '0' has -1 elements");
  }

  @Test
  void a_pickle_may_be_larger_than_what_is_read_first() {
    PickleObject root = tensor("0", 6, PickleNone.NONE, 1, 2, true);
    root.entries().put("note", new PickleText("x".repeat(300_000)));
    write(version(1001), machine(true), root, List.of("0"), 6);

    try (TorchModel model = new TorchFormat().open(file)) {
      assertThat(floats(model)).containsExactly(1, 2);
      assertThat(model.opaqueEntries()).containsExactly("note");
    }
  }

  @Test
  void changed_bytes_give_a_clear_error_or_a_model() throws IOException {
    byte[] good = Files.readAllBytes(TestModels.path("legacy_tied.pth"));
    Random random = new Random(16);
    for (int i = 0; i < 500; i++) {
      byte[] changed = i % 2 == 0 ? good.clone() : Arrays.copyOf(good, random.nextInt(good.length));
      for (int j = 0; i % 2 == 0 && j < 3; j++) {
        changed[15 + random.nextInt(changed.length - 15)] = (byte) random.nextInt();
      }
      Files.write(file, changed);
      try (TorchModel model = new TorchFormat().open(file)) {
        assertThat(model.tensors()).isNotNull();
      } catch (KvantException e) {
        assertThat(e).hasMessageContaining("model.pth");
      }
    }
  }

  private void assertRefused(String message) {
    assertThatThrownBy(() -> new TorchFormat().open(file))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("model.pth")
        .hasMessageContaining(message);
  }

  private static float[] floats(TorchModel model) {
    var tensor = TestModels.tensor(model, "weight");
    assertThat(tensor.elementType()).isEqualTo(ElementType.FLOAT32);
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.toIntExact(tensor.bytes())).order(ByteOrder.LITTLE_ENDIAN);
    tensor.read(0, bytes);
    float[] values = new float[Math.toIntExact(tensor.elements())];
    bytes.flip().asFloatBuffer().get(values);
    return values;
  }

  private static PickleValue version(long number) {
    return PickleInt.of(number);
  }

  private static PickleValue machine(boolean littleEndian) {
    var properties = new PickleDict();
    properties.put("little_endian", new PickleBool(littleEndian));
    return properties;
  }

  /** A state dict with one tensor, {@code weight}. */
  private static PickleObject tensor(
      String key, long extent, PickleValue part, long offset, long size, boolean current) {
    var storage =
        new PickleReference(
            PickleTuple.of(
                new PickleText("storage"),
                new PickleGlobal("torch", "FloatStorage"),
                new PickleText(key),
                new PickleText("cpu"),
                PickleInt.of(extent),
                part));
    PickleTuple shape = PickleTuple.of(PickleInt.of(size));
    PickleTuple strides = PickleTuple.of(PickleInt.of(1));
    PickleObject tensor =
        current
            ? PickleObject.call(
                new PickleGlobal("torch._utils", "_rebuild_tensor_v2"),
                storage,
                PickleInt.of(offset),
                shape,
                strides,
                new PickleBool(false),
                PickleObject.call(new PickleGlobal("collections", "OrderedDict")))
            : PickleObject.call(
                new PickleGlobal("torch._utils", "_rebuild_tensor"),
                storage,
                PickleInt.of(offset),
                shape,
                strides);
    PickleObject root = PickleObject.call(new PickleGlobal("collections", "OrderedDict"));
    root.entries().put("weight", tensor);
    return root;
  }

  /** Writes a checkpoint whose storages have the elements 0 to 5 and announce so many. */
  private void write(
      PickleValue version,
      PickleValue machine,
      PickleValue root,
      List<String> keys,
      long announced) {
    var out = new ByteArrayOutputStream();
    try {
      out.write(MAGIC);
      out.write(PickleWriter.write(version));
      out.write(PickleWriter.write(machine));
      out.write(PickleWriter.write(root));
      out.write(
          PickleWriter.write(
              PickleList.of(keys.stream().map(PickleText::new).toArray(PickleValue[]::new))));
      for (int i = 0; i < keys.size(); i++) {
        ByteBuffer storage = ByteBuffer.allocate(8 + 6 * 4).order(ByteOrder.LITTLE_ENDIAN);
        storage.putLong(announced);
        for (int j = 0; j < 6; j++) {
          storage.putFloat(j);
        }
        out.write(storage.array());
      }
      Files.write(file, out.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
