package dev.kvant.readers.text;

import dev.kvant.api.DataException;
import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The inputs of a model that are made of tokens. */
final class ModelInputs {

  private static final int LENGTH_AXIS = 1;

  /** What tokens give, by the names that exporters use. */
  private enum Kind {
    INPUT_IDS,
    ATTENTION_MASK,
    TOKEN_TYPE_IDS;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    long[] values(PaddedTokens tokens) {
      return switch (this) {
        case INPUT_IDS -> tokens.ids();
        case ATTENTION_MASK -> tokens.mask();
        case TOKEN_TYPE_IDS -> tokens.types();
      };
    }

    static Stream<Kind> named(String name) {
      return Stream.of(values()).filter(kind -> kind.label().equals(name));
    }
  }

  /** One input. */
  private record Fed(String name, Kind kind, ElementType type) {}

  private final List<Fed> inputs;
  private final OptionalInt fixedLength;

  private ModelInputs(List<Fed> inputs, OptionalInt fixedLength) {
    this.inputs = List.copyOf(inputs);
    this.fixedLength = fixedLength;
  }

  /**
   * The inputs that tokens are given to, by their names. The only required input of another name
   * gets the ids. Where the inputs are not known, those of a BERT are taken.
   *
   * @throws DataException if an input cannot be made of tokens
   */
  static ModelInputs of(List<InputDescription> declared) {
    if (declared.isEmpty()) {
      return new ModelInputs(
          Stream.of(Kind.values())
              .map(kind -> new Fed(kind.label(), kind, ElementType.INT64))
              .toList(),
          OptionalInt.empty());
    }
    List<Fed> fed = new ArrayList<>();
    List<InputDescription> others = new ArrayList<>();
    OptionalInt length = OptionalInt.empty();
    for (InputDescription input : declared) {
      var kind = Kind.named(input.name()).findFirst();
      if (kind.isPresent()) {
        fed.add(new Fed(input.name(), kind.get(), type(input)));
        length = length.isPresent() ? length : length(input);
      } else if (!input.optional()) {
        others.add(input);
      }
    }
    if (fed.isEmpty() && others.size() == 1) {
      InputDescription only = others.get(0);
      return new ModelInputs(
          List.of(new Fed(TensorBatch.SOLE_INPUT, Kind.INPUT_IDS, type(only))), length(only));
    }
    if (!others.isEmpty()) {
      throw new DataException(
          "the model's input '%s' %s cannot be made of text, which gives %s"
              .formatted(
                  others.get(0).name(),
                  others.get(0).printed(),
                  Stream.of(Kind.values()).map(Kind::label).collect(Collectors.joining(", "))));
    }
    return new ModelInputs(fed, length);
  }

  private static ElementType type(InputDescription input) {
    return ElementType.INT32.equals(input.elementType()) ? ElementType.INT32 : ElementType.INT64;
  }

  private static OptionalInt length(InputDescription input) {
    OptionalLong length = input.fixedSize(LENGTH_AXIS);
    return length.isPresent()
        ? OptionalInt.of(Math.toIntExact(length.getAsLong()))
        : OptionalInt.empty();
  }

  /** The number of tokens that the model takes; empty for any. */
  OptionalInt fixedLength() {
    return fixedLength;
  }

  /** The tensors of some texts by input, each of shape [texts, tokens]. */
  Map<String, Tensor> tensors(PaddedTokens tokens) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    inputs.forEach(
        input -> tensors.put(input.name(), tensor(input.kind().values(tokens), tokens, input)));
    return tensors;
  }

  private static Tensor tensor(long[] values, PaddedTokens tokens, Fed input) {
    ByteBuffer data =
        ByteBuffer.allocate(Math.multiplyExact(values.length, input.type().bytes()))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (long value : values) {
      if (input.type().equals(ElementType.INT32)) {
        data.putInt(Math.toIntExact(value));
      } else {
        data.putLong(value);
      }
    }
    return Tensor.of(
        input.type(), List.of((long) tokens.texts(), (long) tokens.length()), data.flip());
  }
}
