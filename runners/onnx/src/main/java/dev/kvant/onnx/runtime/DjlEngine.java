package dev.kvant.onnx.runtime;

import ai.onnxruntime.OrtEnvironment;

/**
 * DJL's engine for ONNX Runtime, if the application has it.
 *
 * <p>ONNX Runtime has one environment in a process. DJL creates it with a pool of threads, which
 * fails if the environment exists; everybody else uses the one that exists. So DJL's engine has to
 * come first.
 */
final class DjlEngine {

  private static final String PROVIDER = "ai.djl.onnxruntime.engine.OrtEngineProvider";

  private DjlEngine() {}

  /**
   * Starts it beside the ONNX Runtime that this module uses. Does no more the second time, and
   * nothing without DJL. An engine that does not start is left to the application, which learns the
   * reason when it uses it.
   */
  static void startFirst() {
    ClassLoader loader = OrtEnvironment.class.getClassLoader();
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    try {
      Class<?> provider = Class.forName(PROVIDER, false, loader);
      // DJL looks for all its engines by it, once in a process.
      thread.setContextClassLoader(provider.getClassLoader());
      provider.getMethod("getEngine").invoke(provider.getConstructor().newInstance());
    } catch (ReflectiveOperationException | LinkageError | RuntimeException e) {
      // There is no such engine, or it does not start.
    } finally {
      thread.setContextClassLoader(before);
    }
  }
}
