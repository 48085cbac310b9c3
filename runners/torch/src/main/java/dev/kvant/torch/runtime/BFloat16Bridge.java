package dev.kvant.torch.runtime;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import dev.kvant.api.ElementType;
import dev.kvant.api.KvantException;
import dev.kvant.api.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Passes bfloat16 tensors to libtorch and back, which DJL does not support: as float32, converted
 * there by a TorchScript module of a few lines. Both conversions are exact.
 */
final class BFloat16Bridge {

  private static final String ARCHIVE = "bfloat16.pt";

  /** libtorch's number of the type. */
  private static final long SCALAR_TYPE = 15;

  private final PtNDManager manager;
  private @Nullable PtSymbolBlock module;

  /**
   * For models of a manager.
   *
   * @param manager unloads the module when it is closed
   */
  BFloat16Bridge(PtNDManager manager) {
    this.manager = manager;
  }

  /** The same values as float32. */
  Tensor widened(Tensor tensor) {
    ByteBuffer source = tensor.data();
    ByteBuffer wide =
        ByteBuffer.allocate(Math.multiplyExact(source.remaining(), 2))
            .order(ByteOrder.LITTLE_ENDIAN);
    while (source.hasRemaining()) {
      wide.putInt(source.getShort() << 16);
    }
    return Tensor.of(ElementType.FLOAT32, tensor.shape(), wide.flip());
  }

  /** A bfloat16 tensor of a float32 one. */
  IValue narrow(IValue float32) {
    return IValueUtils.runMethod(module(), "narrow", float32);
  }

  /**
   * A copy of a tensor whose type DJL does not support.
   *
   * @throws KvantException if it is not bfloat16
   */
  Tensor read(String name, IValue value, List<Long> shape, PtNDManager scope) {
    try (IValue type = IValueUtils.runMethod(module(), "scalar_type", value)) {
      if (type.toLong() != SCALAR_TYPE) {
        throw new KvantException(
            "output '%s' is a tensor of libtorch's scalar type %d, which cannot be read; let the model convert it"
                .formatted(name, type.toLong()));
      }
    }
    try (IValue float32 = IValueUtils.runMethod(module(), "widen", value)) {
      PtNDArray array = float32.toTensor(scope);
      ByteBuffer wide = array.toByteBuffer(false);
      ByteBuffer narrow = ByteBuffer.allocate(wide.remaining() / 2).order(ByteOrder.LITTLE_ENDIAN);
      while (wide.hasRemaining()) {
        narrow.putShort((short) (wide.getInt() >>> 16));
      }
      return Tensor.of(ElementType.BFLOAT16, shape, narrow.flip());
    }
  }

  private PtSymbolBlock module() {
    if (module == null) {
      try (InputStream archive = BFloat16Bridge.class.getResourceAsStream(ARCHIVE)) {
        if (archive == null) {
          throw new IllegalStateException("the resource %s is missing".formatted(ARCHIVE));
        }
        module = JniUtils.loadModule(manager, archive, true, false);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return module;
  }
}
