package dev.kvant.torch.script;

/** A file of TorchScript text is not as torch writes it. */
final class ScriptSyntaxException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final int position;

  ScriptSyntaxException(String message, int position) {
    super(message);
    this.position = position;
  }

  /** Where in the file. */
  int position() {
    return position;
  }
}
