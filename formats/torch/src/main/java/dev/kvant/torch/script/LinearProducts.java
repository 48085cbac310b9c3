package dev.kvant.torch.script;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The calls by which the methods of a Linear multiply their input with the module's weight: where
 * an operator with packed parameters can do the same.
 *
 * @since 0.1.0
 */
public final class LinearProducts {

  private static final String WEIGHT = "weight";
  private static final String BIAS = "bias";

  private static final Set<String> LINEAR =
      Set.of("torch.linear", "__torch__.torch.nn.functional.linear");

  private final List<AttributeRead> reads;
  private final List<CallArgument> products;
  private final boolean addBias;

  private LinearProducts(List<AttributeRead> reads, List<CallArgument> products, boolean addBias) {
    this.reads = List.copyOf(reads);
    this.products = List.copyOf(products);
    this.addBias = addBias;
  }

  /**
   * The products of a class, if every method that its instances are called by multiplies its input
   * with the weight by one call and no other way, and adds the module's bias in every one of these
   * calls or in none, and nothing changes the weight or the bias as the model runs.
   *
   * @param code the code of the archive
   * @param type the class
   */
  public static Optional<LinearProducts> of(ScriptCode code, ScriptType type) {
    List<ForwardMethod> methods = ForwardMethod.of(type);
    List<AttributeRead> reads = code.reads(type, WEIGHT);
    if (methods.isEmpty() || !code.untraced(WEIGHT).isEmpty() || isChanged(code, type, WEIGHT)) {
      return Optional.empty();
    }
    List<CallArgument> products = new ArrayList<>();
    for (ForwardMethod method : methods) {
      List<CallArgument> ofMethod =
          reads.stream().flatMap(read -> products(read, type, method)).toList();
      if (ofMethod.isEmpty()) {
        return Optional.empty();
      }
      products.addAll(ofMethod);
    }
    boolean addBias = products.stream().anyMatch(LinearProducts::hasBias);
    List<CallArgument> biases =
        code.reads(type, BIAS).stream().flatMap(read -> read.calls().stream()).toList();
    boolean isOwn =
        products.stream()
            .allMatch(product -> addBias ? takesOwnBias(product, biases) : !hasBias(product));
    return isOwn && !(addBias && isChanged(code, type, BIAS))
        ? Optional.of(new LinearProducts(reads, products, addBias))
        : Optional.empty();
  }

  /** Whether a call multiplies something with the weight that it is given, and adds a bias. */
  public static boolean isLinear(CallArgument call) {
    return LINEAR.contains(call.function())
        && call.index() == 1
        && call.arguments().size() <= 3
        && call.arguments().stream().noneMatch(argument -> argument.matches("\\w+=[^=].*"));
  }

  private static boolean isChanged(ScriptCode code, ScriptType type, String attribute) {
    return !code.writers(type, attribute).isEmpty()
        || code.reads(type, attribute).stream().anyMatch(read -> !read.changers().isEmpty());
  }

  private static Stream<CallArgument> products(
      AttributeRead read, ScriptType type, ForwardMethod method) {
    return read.reader().equals(type.name() + "." + method.name())
            && read.module().equals(method.self())
        ? read.calls().stream()
            .filter(LinearProducts::isLinear)
            .filter(call -> call.arguments().get(0).equals(method.input()))
        : Stream.empty();
  }

  private static boolean hasBias(CallArgument product) {
    return product.arguments().size() > 2 && !product.arguments().get(2).equals("None");
  }

  private static boolean takesOwnBias(CallArgument product, List<CallArgument> biases) {
    return biases.stream().anyMatch(bias -> bias.index() == 2 && bias.isOf(product));
  }

  /** All places that read the weights of the instances. */
  public List<AttributeRead> reads() {
    return reads;
  }

  /** Whether a call is one of the products; others have inputs of other modules. */
  public boolean contains(CallArgument call) {
    return products.stream()
        .anyMatch(product -> product.index() == call.index() && product.isOf(call));
  }

  /** Whether the products add the bias. */
  public boolean addBias() {
    return addBias;
  }
}
