package dev.kvant.torch.script;

import dev.kvant.torch.archive.TorchArchive;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The parameters of a model's {@code forward}, read from the code of its root class alone.
 *
 * @since 0.1.0
 */
public final class ForwardParameters {

  /** The name of the method. */
  public static final String METHOD = "forward";

  private static final int MAX_CODE = 64 << 20;

  private ForwardParameters() {}

  /**
   * Reads them, in order; empty if the class has no such method.
   *
   * @param root the class of the root module
   */
  public static Optional<List<ScriptParameter>> read(TorchArchive archive, ScriptClass root) {
    String code =
        new String(archive.record(root.record()).readAll(MAX_CODE), StandardCharsets.UTF_8);
    return ScriptCode.parse(Map.of(root.record(), code))
        .type(root.name().qualifiedName())
        .flatMap(type -> type.parameters(METHOD));
  }
}
