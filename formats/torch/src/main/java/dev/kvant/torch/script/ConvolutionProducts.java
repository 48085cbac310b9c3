package dev.kvant.torch.script;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The calls by which the methods of a convolution multiply their input with the module's weight:
 * where an operator with packed parameters can do the same.
 *
 * @since 0.1.0
 */
public final class ConvolutionProducts {

  private static final String WEIGHT = "weight";

  /** The positions of the input and the bias. */
  private static final Set<Integer> INPUT_AND_BIAS = Set.of(0, 2);

  private record Product(CallArgument call, Convolution convolution, String unchanged) {}

  private final List<AttributeRead> reads;
  private final List<Product> products;

  private ConvolutionProducts(List<AttributeRead> reads, List<Product> products) {
    this.reads = List.copyOf(reads);
    this.products = List.copyOf(products);
  }

  /**
   * The products of a class, if every method that its instances are called by multiplies its input
   * with the weight by one call and no other way, all in the same manner, and nothing changes the
   * weight as the model runs.
   *
   * @param code the code of the archive
   * @param type the class
   */
  public static Optional<ConvolutionProducts> of(ScriptCode code, ScriptType type) {
    List<ForwardMethod> methods = ForwardMethod.of(type);
    List<AttributeRead> reads = code.reads(type, WEIGHT);
    if (methods.isEmpty()
        || !code.untraced(WEIGHT).isEmpty()
        || !code.writers(type, WEIGHT).isEmpty()
        || reads.stream().anyMatch(read -> !read.changers().isEmpty())) {
      return Optional.empty();
    }
    List<Product> products = new ArrayList<>();
    for (ForwardMethod method : methods) {
      List<Product> ofMethod = products(reads, type, method);
      if (ofMethod.size() != 1) {
        return Optional.empty();
      }
      products.addAll(ofMethod);
    }
    Product first = products.get(0);
    return products.stream()
            .allMatch(
                product ->
                    product.convolution().equals(first.convolution())
                        && product.unchanged().equals(first.unchanged()))
        ? Optional.of(new ConvolutionProducts(reads, products))
        : Optional.empty();
  }

  private static List<Product> products(
      List<AttributeRead> reads, ScriptType type, ForwardMethod method) {
    List<Product> products = new ArrayList<>();
    for (AttributeRead read : reads) {
      if (!read.reader().equals(type.name() + "." + method.name())
          || !read.module().equals(method.self())) {
        continue;
      }
      for (CallArgument call : read.calls()) {
        Product product = product(call, type, method);
        if (product != null) {
          products.add(product);
        }
      }
    }
    return products;
  }

  private static @Nullable Product product(
      CallArgument call, ScriptType type, ForwardMethod method) {
    List<String> arguments = call.arguments();
    if (call.index() != 1
        || arguments.size() < 2
        || !arguments.get(0).equals(method.input())
        || arguments.stream().anyMatch(argument -> argument.matches("\\w+ ?=[^=].*"))) {
      return null;
    }
    Optional<Convolution> direct = Convolution.parse(call.function(), arguments);
    if (direct.isPresent()) {
      return new Product(call, direct.get(), call(call.callee(), arguments));
    }
    return arguments.size() == 3
        ? inner(type, call.method())
            .map(inner -> new Product(call, inner, call(call.callee(), arguments)))
            .orElse(null)
        : null;
  }

  /** The same call with other names for what it is given. */
  private static String call(String callee, List<String> arguments) {
    List<String> renamed = new ArrayList<>(List.of("input", "self." + WEIGHT));
    if (arguments.size() > 2) {
      renamed.add("bias");
      renamed.addAll(arguments.subList(3, arguments.size()));
    }
    return "%s(%s)".formatted(callee, String.join(", ", renamed));
  }

  /**
   * What a method does that a scripted convolution calls, as {@code _conv_forward}: nothing but one
   * convolution of what it is given.
   */
  private static Optional<Convolution> inner(ScriptType type, String name) {
    for (ScriptFunction function : type.functions()) {
      if (function.name().equals(type.name() + "." + name)) {
        List<ScriptCall> calls = function.calls();
        List<String> given =
            function.parameters().stream().skip(1).map(ScriptParameter::name).toList();
        return calls.size() == 1
                && given.size() == 3
                && calls.get(0).variables().size() >= 3
                && calls.get(0).variables().subList(0, 3).equals(given)
                && function.body().size() <= 2
            ? Convolution.parse(calls.get(0).function(), function.arguments(0))
            : Optional.empty();
      }
    }
    return Optional.empty();
  }

  /** What all of them do. */
  public Convolution convolution() {
    return products.get(0).convolution();
  }

  /**
   * The expression by which a method of the class with the variables {@code input} and {@code bias}
   * does what the calls did.
   */
  public String unchanged() {
    return products.get(0).unchanged();
  }

  /**
   * Calls a method of the class with the input and the bias instead, and another one wherever the
   * weight is read otherwise.
   *
   * @param multiply the method with the parameters {@code input} and {@code bias}
   * @param weight the method without a parameter
   */
  public void redirect(String multiply, String weight) {
    for (AttributeRead read : reads) {
      for (CallArgument call : read.calls()) {
        if (products.stream().anyMatch(product -> product.call() == call)) {
          call.redirect("(%s).%s".formatted(read.module(), multiply), INPUT_AND_BIAS);
        }
      }
      read.replaceByCallOf(weight);
    }
  }
}
