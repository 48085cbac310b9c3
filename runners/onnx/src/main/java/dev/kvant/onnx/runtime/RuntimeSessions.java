package dev.kvant.onnx.runtime;

import dev.kvant.api.Device;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.UnavailableException;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.spi.Availability;
import java.nio.file.Path;

/**
 * Loads models into ONNX Runtime, or says what is missing. No class of ONNX Runtime is needed to
 * load this one.
 *
 * @since 0.1.0
 */
public final class RuntimeSessions {

  private RuntimeSessions() {}

  /**
   * Loads a model file, optimized as ONNX Runtime sees fit.
   *
   * @throws UnavailableException if ONNX Runtime, its native library or the device is missing
   * @throws ModelFormatException if ONNX Runtime does not take the model
   */
  public static RuntimeSession open(Path model, Device device) {
    checkRuntime();
    return RuntimeSession.open(model, device);
  }

  /**
   * Loads a model file to be computed node by node, on all processors.
   *
   * @throws UnavailableException if ONNX Runtime, its native library or the device is missing
   * @throws ModelFormatException if ONNX Runtime does not take the model
   */
  public static RuntimeSession openUnoptimized(Path model, Device device) {
    checkRuntime();
    return RuntimeSession.openUnoptimized(model, device);
  }

  /**
   * Loads a graph to be computed node by node on the CPU.
   *
   * @throws UnavailableException if ONNX Runtime or its native library is missing
   * @throws ModelFormatException if ONNX Runtime does not take the graph
   */
  public static RuntimeSession openUnoptimized(OnnxModel model) {
    return openUnoptimized(model, Device.CPU);
  }

  /**
   * Loads a graph to be computed node by node as it is, on the thread that runs it: so values do
   * not depend on the number of threads, and samples rather than rows are spread over them.
   *
   * @throws UnavailableException if ONNX Runtime, its native library or the device is missing
   * @throws ModelFormatException if ONNX Runtime does not take the graph
   */
  public static RuntimeSession openUnoptimized(OnnxModel model, Device device) {
    checkRuntime();
    return RuntimeSession.openUnoptimized(model, device);
  }

  private static void checkRuntime() {
    if (RuntimeVersion.availability(RuntimeSessions.class.getClassLoader())
        instanceof Availability.Unavailable missing) {
      throw new UnavailableException(missing.reason());
    }
  }
}
