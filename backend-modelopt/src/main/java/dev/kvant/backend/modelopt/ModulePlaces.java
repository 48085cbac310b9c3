package dev.kvant.backend.modelopt;

import dev.kvant.torch.script.ScriptCode;
import dev.kvant.torch.script.ScriptModule;
import dev.kvant.torch.script.ScriptTree;
import dev.kvant.torch.script.ScriptType;
import java.util.Optional;

/** How the code of a root module reaches what other modules hold. */
final class ModulePlaces {

  private final ScriptTree tree;
  private final ScriptCode code;

  ModulePlaces(ScriptTree tree, ScriptCode code) {
    this.tree = tree;
    this.code = code;
  }

  /**
   * Whether every module on the way to a module is declared by its class. An interface, which
   * declares methods alone, hides the attributes of what implements it.
   */
  boolean isReachable(ScriptModule module) {
    String name = module.name();
    for (int dot = name.indexOf('.'); !name.isEmpty(); dot = name.indexOf('.', dot + 1)) {
      String place = dot < 0 ? name : name.substring(0, dot);
      int last = place.lastIndexOf('.');
      Optional<String> declared =
          tree.module(last < 0 ? "" : place.substring(0, last))
              .flatMap(parent -> code.type(parent.type().name().qualifiedName()))
              .map(ScriptType::attributes)
              .map(attributes -> attributes.get(place.substring(last + 1)));
      Optional<String> actual =
          tree.module(place).map(child -> child.type().name().qualifiedName());
      if (actual.isEmpty() || !actual.equals(declared)) {
        return false;
      }
      if (dot < 0) {
        break;
      }
    }
    return true;
  }

  /** The expression by which the root reads an attribute of a module, whatever they are called. */
  static String of(ScriptModule module, String attribute) {
    String path = module.name().isEmpty() ? attribute : module.name() + "." + attribute;
    String place = "self";
    for (String part : path.split("\\.", -1)) {
      // Names of numbers are no identifiers.
      place = "getattr(%s, \"%s\")".formatted(place, part);
    }
    return place;
  }
}
