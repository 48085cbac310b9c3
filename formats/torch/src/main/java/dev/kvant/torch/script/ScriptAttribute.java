package dev.kvant.torch.script;

import java.util.Objects;

/**
 * An attribute of a class.
 *
 * @param type the qualified name of the class
 * @param name the attribute's name
 * @since 0.1.0
 */
public record ScriptAttribute(String type, String name) {

  public ScriptAttribute {
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(name, "name");
  }
}
