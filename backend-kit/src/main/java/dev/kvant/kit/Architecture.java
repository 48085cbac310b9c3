package dev.kvant.kit;

import dev.kvant.api.InputDescription;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.TensorDescription;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The kind of a network, told from its modules: {@link #RECURRENT} if LSTM, GRU and RNN modules
 * hold the most bytes of weights, else {@link #CONVOLUTIONAL} if there are at least as many
 * convolutions as matrix products. Bytes do not decide between these two, because a few matrices at
 * the end of a convolutional network often hold more than all its convolutions. Tables of
 * embeddings do not count unless there is nothing else.
 *
 * @since 0.1.0
 */
public enum Architecture {
  /** At least as many convolutions as matrix products. */
  CONVOLUTIONAL("a convolutional network"),
  /** LSTM, GRU or RNN modules hold most of the weights. */
  RECURRENT("a recurrent network"),
  /**
   * More matrix products than convolutions, and the model generates: it has inputs for past keys
   * and values, or a product gives a value for each row of its table of embeddings.
   */
  DECODER("a decoder or language model"),
  /** More matrix products than convolutions: transformer encoders, multilayer perceptrons. */
  ENCODER("an encoder or another network of matrix products"),
  /** Tables of embeddings only. */
  TABLES("a model of embedding tables"),
  /** No module has a class that says what it computes. */
  UNKNOWN("a model of unknown modules");

  /** Fewer rows than this are classes or positions, not a vocabulary. */
  private static final long SMALLEST_VOCABULARY = 1000;

  private static final Set<String> RECURRENT_CLASSES =
      Set.of("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell");

  private static final Set<String> TABLE_CLASSES = Set.of("Embedding", "EmbeddingBag", "Gather");

  /** Conv1D is what transformers calls the Linear of GPT-2. */
  private static final Set<String> PRODUCT_CLASSES =
      Set.of(
          "Linear",
          "Conv1D",
          "NonDynamicallyQuantizableLinear",
          "Bilinear",
          "Gemm",
          "MatMul",
          "Einsum");

  private static final Pattern CONVOLUTION_CLASS =
      Pattern.compile("(Fused|Deform|Lazy)?Conv(Transpose)?([123]d)?");

  private final String label;

  Architecture(String label) {
    this.label = label;
  }

  /** The name for a person, with its article. */
  public String label() {
    return label;
  }

  /** The kind of a model, told from the classes, names and shapes of its modules and inputs. */
  public static Architecture of(QuantizableModel model) {
    Map<Architecture, Integer> modules = new EnumMap<>(Architecture.class);
    Map<Architecture, Long> bytes = new EnumMap<>(Architecture.class);
    for (ModuleDescription module : model.modules()) {
      Architecture kind = kind(module);
      if (module.hasWeights()) {
        modules.merge(kind, 1, Integer::sum);
      }
      for (TensorDescription tensor : module.tensors()) {
        bytes.merge(kind, tensor.bytes(), Long::sum);
      }
    }
    long recurrent = bytes.getOrDefault(RECURRENT, 0L);
    if (recurrent > bytes.getOrDefault(CONVOLUTIONAL, 0L)
        && recurrent > bytes.getOrDefault(ENCODER, 0L)) {
      return RECURRENT;
    }
    int convolutions = modules.getOrDefault(CONVOLUTIONAL, 0);
    int products = modules.getOrDefault(ENCODER, 0);
    if (convolutions > 0 && convolutions >= products) {
      return CONVOLUTIONAL;
    }
    if (products > 0) {
      return generates(model) ? DECODER : ENCODER;
    }
    return modules.containsKey(TABLES) ? TABLES : UNKNOWN;
  }

  private static Architecture kind(ModuleDescription module) {
    List<String> types = module.types();
    if (types.stream().anyMatch(RECURRENT_CLASSES::contains)) {
      return RECURRENT;
    }
    if (types.stream().anyMatch(type -> CONVOLUTION_CLASS.matcher(type).matches())) {
      return CONVOLUTIONAL;
    }
    if (types.stream().anyMatch(TABLE_CLASSES::contains)) {
      return TABLES;
    }
    if (types.stream().anyMatch(Architecture::isProduct)) {
      return ENCODER;
    }
    return UNKNOWN;
  }

  private static boolean isProduct(String type) {
    return PRODUCT_CLASSES.contains(type) || type.contains("Attention");
  }

  private static boolean generates(QuantizableModel model) {
    if (model.inputs().stream().map(InputDescription::name).anyMatch(Architecture::isPast)) {
      return true;
    }
    Set<Long> vocabularies = new HashSet<>();
    for (ModuleDescription module : model.modules()) {
      if (kind(module) == TABLES) {
        module
            .weight()
            .filter(table -> table.shape().size() == 2)
            .map(table -> table.shape().get(0))
            .filter(rows -> rows >= SMALLEST_VOCABULARY)
            .ifPresent(vocabularies::add);
      }
    }
    return model.modules().stream()
        .filter(module -> kind(module) == ENCODER)
        .flatMap(module -> module.weight().stream())
        .anyMatch(weight -> weight.shape().stream().anyMatch(vocabularies::contains));
  }

  private static boolean isPast(String input) {
    return input.toLowerCase(Locale.ROOT).startsWith("past");
  }
}
