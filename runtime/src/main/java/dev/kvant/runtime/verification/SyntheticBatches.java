package dev.kvant.runtime.verification;

import dev.kvant.api.Device;
import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.TensorDescription;
import dev.kvant.numerics.BFloat16;
import dev.kvant.numerics.Float16;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/**
 * Makes batches for a model of which there is no data, from the types and shapes of its inputs.
 *
 * <p>Floating-point values follow the standard normal distribution, uint8 values are uniform, and
 * truth values are true. Other integers are ids: at least 0 and below the number of rows of an
 * embedding table. An input with "mask" in its name is 1. Dimensions of any size get small sizes.
 *
 * <p>Neither sizes nor ids are known for certain, so there are several batches; the first that the
 * source can run is the right one. Where a model does not state types and shapes, they follow from
 * the modules that come first in it. The values are the same in every run.
 */
final class SyntheticBatches {

  /** Tokens or pixels, from small to the usual size of images, then samples of sound. */
  private static final long[] SIZES = {8, 28, 32, 64, 128, 224, 16_000};

  /** Batches of one sample suit every model, batches of two most; two prove more. */
  private static final long[] SAMPLES = {2, 1};

  /** How many modules may be the one that the inputs come to first. */
  private static final int FIRST_MODULES = 3;

  private static final int MOST_BATCHES = 60;
  private static final long MOST_ELEMENTS = 1 << 22;
  private static final long SEED = 20_240_607;

  private final List<InputDescription> inputs;
  private final List<ModuleDescription> modules;
  private final List<Long> idLimits;

  private SyntheticBatches(
      List<InputDescription> inputs, List<ModuleDescription> modules, Device device) {
    this.inputs = inputs;
    this.modules = modules;
    List<Long> limits = idLimits(modules);
    this.idLimits =
        device.equals(Device.CPU) ? limits : limits.subList(limits.size() - 1, limits.size());
  }

  /**
   * Batches to try, the likeliest first; none if nothing is known of the inputs.
   *
   * @param inputs the inputs; those that are optional are left out
   * @param modules the modules of the model, in its order
   * @param device where they run; an id beyond a table is an error on the processor, and the end of
   *     the process's work on other devices
   */
  static List<TensorBatch> of(
      List<InputDescription> inputs, List<ModuleDescription> modules, Device device) {
    List<InputDescription> required = inputs.stream().filter(input -> !input.optional()).toList();
    return required.isEmpty()
        ? List.of()
        : new SyntheticBatches(required, modules, device).batches();
  }

  private List<TensorBatch> batches() {
    Set<List<InputDescription>> shaped = new LinkedHashSet<>();
    for (List<InputDescription> stated : stated()) {
      for (long size : SIZES) {
        for (long samples : SAMPLES) {
          shaped.add(stated.stream().map(input -> sized(input, samples, size)).toList());
        }
      }
    }
    List<TensorBatch> batches = new ArrayList<>();
    for (List<InputDescription> sizes : shaped) {
      long elements = sizes.stream().mapToLong(SyntheticBatches::elements).max().orElse(0);
      for (long limit : idLimits) {
        if (elements <= MOST_ELEMENTS && batches.size() < MOST_BATCHES) {
          batches.add(batch(sizes, limit));
        }
      }
    }
    return batches;
  }

  /** The inputs with types and shapes, in each way that they may be meant. */
  private List<List<InputDescription>> stated() {
    if (inputs.stream().allMatch(input -> input.elementType() != null && input.shape() != null)) {
      return List.of(inputs);
    }
    List<List<InputDescription>> stated = new ArrayList<>();
    modules.stream()
        .filter(module -> module.weight().isPresent())
        .limit(FIRST_MODULES)
        .flatMap(module -> taken(module).stream())
        .distinct()
        .forEach(taken -> stated.add(inputs.stream().map(input -> like(input, taken)).toList()));
    return stated;
  }

  private static InputDescription like(InputDescription input, InputDescription taken) {
    return new InputDescription(
        input.name(),
        input.elementType() == null ? taken.elementType() : input.elementType(),
        input.shape() == null ? taken.shape() : input.shape(),
        false);
  }

  /** What a module may take, by the shape of its weight. */
  private static List<InputDescription> taken(ModuleDescription module) {
    TensorDescription weight = module.weight().orElseThrow();
    List<Long> shape = weight.shape();
    if (module.type().equals("Embedding") && shape.size() == 2) {
      return List.of(input(ElementType.INT64, -1L, -1L));
    }
    if (module.type().equals("Linear") && shape.size() == 2) {
      return List.of(
          input(weight.elementType(), -1L, shape.get(1)),
          input(weight.elementType(), -1L, -1L, shape.get(1)));
    }
    return switch (module.type()) {
      case "Conv1d" -> List.of(input(weight.elementType(), -1L, shape.get(1), -1L));
      case "Conv2d" -> List.of(input(weight.elementType(), -1L, shape.get(1), -1L, -1L));
      case "Conv3d" -> List.of(input(weight.elementType(), -1L, shape.get(1), -1L, -1L, -1L));
      default -> List.of();
    };
  }

  private static InputDescription input(ElementType type, Long... shape) {
    return InputDescription.of("", type, List.of(shape));
  }

  private static InputDescription sized(InputDescription input, long samples, long size) {
    List<Long> shape = new ArrayList<>();
    for (long dimension : shape(input)) {
      shape.add(dimension >= 0 ? dimension : shape.isEmpty() ? samples : size);
    }
    return new InputDescription(input.name(), input.elementType(), shape, false);
  }

  private static List<Long> shape(InputDescription input) {
    return Optional.ofNullable(input.shape()).orElseThrow();
  }

  private static long elements(InputDescription input) {
    double elements = 1;
    for (long dimension : shape(input)) {
      elements *= dimension;
    }
    return (long) elements;
  }

  /** The rows of the largest table, and of the smallest; without tables there are two ids. */
  private static List<Long> idLimits(List<ModuleDescription> modules) {
    List<Long> rows =
        modules.stream()
            .filter(module -> module.types().contains("Embedding"))
            .flatMap(module -> module.weight().stream())
            .filter(weight -> weight.shape().size() == 2 && weight.shape().get(0) > 0)
            .map(weight -> weight.shape().get(0))
            .sorted()
            .toList();
    return rows.isEmpty()
        ? List.of(2L)
        : List.of(rows.get(rows.size() - 1), rows.get(0)).stream().distinct().toList();
  }

  private TensorBatch batch(List<InputDescription> sized, long idLimit) {
    Random random = new Random(SEED);
    long smallest = idLimits.get(idLimits.size() - 1);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (InputDescription input : sized) {
      tensors.put(input.name(), tensor(input, idLimit, smallest, random));
    }
    return new TensorBatch(tensors);
  }

  private static Tensor tensor(InputDescription input, long idLimit, long smallest, Random random) {
    ElementType type = Optional.ofNullable(input.elementType()).orElseThrow();
    String name = input.name().toLowerCase(Locale.ROOT);
    List<Long> shape = shape(input);
    long row = shape.isEmpty() ? 1 : Math.max(1, shape.get(shape.size() - 1));
    int elements = Math.toIntExact(elements(input));
    ByteBuffer data =
        ByteBuffer.allocate(Math.toIntExact(type.bytes(elements))).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < elements; i++) {
      if (name.contains("mask") || type.equals(ElementType.BOOL)) {
        put(data, type, 1);
      } else if (type.isFloatingPoint()) {
        put(data, type, random.nextGaussian());
      } else if (type.equals(ElementType.UINT8)) {
        put(data, type, random.nextInt(256));
      } else if (name.contains("position")) {
        put(data, type, (double) (i % row % smallest));
      } else {
        boolean kind = name.contains("type") || name.contains("segment");
        put(data, type, random.nextInt((int) Math.min(kind ? smallest : idLimit, largest(type))));
      }
    }
    return Tensor.of(type, shape, data.flip());
  }

  /** The largest number that an integer type of that size holds for certain. */
  private static long largest(ElementType type) {
    return type.bytes() == 1
        ? Byte.MAX_VALUE
        : type.bytes() == 2 ? Short.MAX_VALUE : Integer.MAX_VALUE;
  }

  private static void put(ByteBuffer data, ElementType type, double value) {
    switch (type.label()) {
      case "float64" -> data.putDouble(value);
      case "float32" -> data.putFloat((float) value);
      case "float16" -> data.putShort(Float16.fromFloat((float) value));
      case "bfloat16" -> data.putShort(BFloat16.fromFloat((float) value));
      case "int64", "uint64" -> data.putLong((long) value);
      case "int32", "uint32" -> data.putInt((int) value);
      case "int16", "uint16" -> data.putShort((short) value);
      default -> data.put((byte) value);
    }
  }
}
