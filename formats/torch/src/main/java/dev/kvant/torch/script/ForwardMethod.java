package dev.kvant.torch.script;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A method that a module is called by. A traced module has one for each of its calls: {@code
 * forward}, {@code forward1} and so on.
 *
 * @param name the method's name
 * @param self what it calls the module itself
 * @param input the parameter that is the module's input
 * @param weight the parameter by which the caller gives the module its weight, as tracing does with
 *     a weight that belongs to another module too
 * @since 0.1.0
 */
public record ForwardMethod(String name, String self, String input, Optional<String> weight) {

  private static final Set<String> PRODUCTS =
      Set.of(
          "linear",
          "conv1d",
          "conv2d",
          "conv3d",
          "conv_transpose1d",
          "conv_transpose2d",
          "conv_transpose3d",
          "_convolution",
          "_convolution_mode",
          "_conv_forward");

  /**
   * The methods of a class that quantized modules can have.
   *
   * @return none if the class has none, or one whose input is not known
   */
  public static List<ForwardMethod> of(ScriptType type) {
    List<ForwardMethod> methods = new ArrayList<>();
    for (String name : type.methods()) {
      if (isForward(name)) {
        Optional<ForwardMethod> method = of(type, name);
        if (method.isEmpty()) {
          return List.of();
        }
        methods.add(method.get());
      }
    }
    return methods;
  }

  /** Whether a class has any method that its instances could be called by. */
  public static boolean isCalled(ScriptType type) {
    return type.methods().stream().anyMatch(ForwardMethod::isForward);
  }

  private static boolean isForward(String method) {
    return method.matches("forward\\d*");
  }

  private static Optional<ForwardMethod> of(ScriptType type, String name) {
    List<String> tensors =
        type.parameters(name).orElse(List.of()).stream()
            .filter(parameter -> parameter.type().equals("Tensor"))
            .map(ScriptParameter::name)
            .toList();
    if (tensors.size() == 1) {
      return Optional.of(
          new ForwardMethod(name, type.self(name), tensors.get(0), Optional.empty()));
    }
    return type.calls(name).stream()
        .filter(ForwardMethod::isProduct)
        .filter(call -> tensors.contains(call.variables().get(0)))
        .findFirst()
        .map(
            call ->
                new ForwardMethod(
                    name,
                    type.self(name),
                    call.variables().get(0),
                    Optional.of(call.variables().get(1)).filter(tensors::contains)));
  }

  private static boolean isProduct(ScriptCall call) {
    String simple = call.function().substring(call.function().lastIndexOf('.') + 1);
    return PRODUCTS.contains(simple) && call.variables().size() > 1;
  }
}
