package dev.kvant.api;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * An opened model. Its tensors stay on disk. The code that opened it closes it. Quantization never
 * changes it.
 *
 * @since 0.1.0
 */
public interface QuantizableModel extends AutoCloseable {

  /** The file or folder of the model. */
  Path source();

  /**
   * All files that hold it, the {@link #source} first: shards, and files of tensors beside a graph.
   * A folder stands for nothing but itself.
   */
  default List<Path> files() {
    return List.of(source());
  }

  /** The id of the format that opened it, as in {@code torchscript}. */
  String format();

  /**
   * The ids of the formats whose backends can read this model: its own, and others that it stands
   * for. A file of named tensors can stand for {@code safetensors}, and every backend that reads
   * {@code safetensors} then reads it. Never the id of a format that holds code or a graph.
   */
  default List<String> compatibleFormats() {
    return List.of(format());
  }

  /** All modules except the root, parents before children, in the file's order. */
  List<ModuleDescription> modules();

  /**
   * The operators without weights that rules and {@code skip_names} can name, in the model's order;
   * none of them is among the {@link #modules}. Empty for a model without a graph.
   */
  default List<ModuleDescription> operators() {
    return List.of();
  }

  /**
   * The root module, if it owns tensors itself; its name is empty. Plans do not contain it, because
   * patterns match names.
   */
  default Optional<ModuleDescription> root() {
    return Optional.empty();
  }

  /**
   * The tensors by qualified name, as in {@code encoder.layers.0.linear1.weight}, in the file's
   * order. Holds each tensor of each module and of the root, under all names of a module that has
   * several.
   */
  Map<String, ? extends ModelTensor> tensors();

  /** The names of entries that are not in {@link #tensors()}, as sparse or complex tensors. */
  default List<String> opaqueEntries() {
    return List.of();
  }

  /**
   * The inputs that the file declares, in order; empty if it declares none, as a checkpoint.
   *
   * @throws ModelFormatException if the declaration is damaged
   */
  default List<InputDescription> inputs() {
    return List.of();
  }

  /** Size of all tensors in bytes, each storage counted once. */
  long tensorBytes();

  /**
   * The record that Kvant put into this model when it wrote it, as it was given; empty if it is
   * none of Kvant's artifacts. What it says only Kvant's runtime knows.
   */
  default Optional<byte[]> record() {
    return Optional.empty();
  }

  /**
   * Where the bytes of {@link #record()} start in {@link #source()}, if they are there as they are,
   * neither compressed nor encoded. Kvant's runtime replaces them there by others of the same
   * number with the same CRC-32, when it knows the result of the verification.
   */
  default OptionalLong recordOffset() {
    return OptionalLong.empty();
  }

  /**
   * The tool that has quantized this model, and where the file shows that, as in {@code torchao:
   * 'fc.weight' holds int8 codes}. Kvant does not quantize such a model again. Empty for a model as
   * it was trained.
   */
  default Optional<String> quantizedBy() {
    return Optional.empty();
  }

  /** Releases the file. A second call does nothing. */
  @Override
  void close();
}
