package dev.kvant.torch.runtime;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.pytorch.engine.PtEngineProvider;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.util.Utils;
import dev.kvant.api.Device;
import dev.kvant.api.UnavailableException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Loads libtorch through DJL, once for a process, and reports what prevents it. */
final class Libtorch {

  private static final String ENGINE = "PyTorch";

  /**
   * The settings that keep DJL off the network while it starts: otherwise it would download a
   * missing libtorch, and report its use.
   */
  private static final Map<String, String> OFFLINE =
      Map.of("ai.djl.offline", "true", "OPT_OUT_TRACKING", "true");

  /** System properties are changed for a moment, by one thread at a time. */
  private static final Object LOCK = new Object();

  private final Engine engine;

  private Libtorch(Engine engine) {
    this.engine = engine;
  }

  /**
   * Loads libtorch if this process has not done so.
   *
   * @throws UnavailableException if it is missing or cannot be loaded
   */
  static Libtorch load() {
    NativeLibraries libraries = NativeLibraries.ofThisProcess();
    Optional<String> missing = libraries.missing();
    if (missing.isPresent()) {
      throw new UnavailableException(missing.get());
    }
    try {
      return new Libtorch(start(libraries.loader()));
    } catch (EngineException | LinkageError | AssertionError e) {
      throw new UnavailableException(explain(e), e);
    }
  }

  /**
   * DJL looks for its engine and its files in the context class loader. That is the application's,
   * which does not see them if this module is a plugin. For this one call it is replaced by the
   * class loader that has them; later calls do not use it.
   */
  private static Engine start(ClassLoader loader) {
    Thread thread = Thread.currentThread();
    synchronized (LOCK) {
      @Nullable ClassLoader context = thread.getContextClassLoader();
      Map<String, @Nullable String> before = new HashMap<>();
      OFFLINE.forEach((name, value) -> before.put(name, System.setProperty(name, value)));
      thread.setContextClassLoader(loader);
      try {
        Engine.registerEngine(new PtEngineProvider());
        return Engine.getEngine(ENGINE);
      } finally {
        thread.setContextClassLoader(context);
        before.forEach(Libtorch::restore);
      }
    }
  }

  private static void restore(String name, @Nullable String value) {
    if (value == null) {
      System.clearProperty(name);
    } else {
      System.setProperty(name, value);
    }
  }

  private static String explain(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String text = String.valueOf(cause);
    if (text.contains("already loaded in another classloader")) {
      return ("libtorch is in use by another class loader of this process (%s); put DJL with its"
              + " PyTorch engine on the application's class path, where all share it, or keep one"
              + " Kvant instead of making another")
          .formatted(text);
    }
    return ("libtorch cannot be loaded: %s. It is unpacked to %s; if that cannot be written, name"
            + " another folder in ENGINE_CACHE_DIR")
        .formatted(text, Utils.getEngineCacheDir("pytorch"));
  }

  /** Its version, as in {@code 2.7.1}. */
  String version() {
    return engine.getVersion();
  }

  /**
   * A manager of native memory on a device. The caller closes it.
   *
   * @throws UnavailableException if there is no such device
   */
  PtNDManager manager(Device device) {
    return (PtNDManager) engine.newBaseManager(onMachine(device));
  }

  private ai.djl.Device onMachine(Device device) {
    if (device.equals(Device.CPU)) {
      return ai.djl.Device.cpu();
    }
    if (!device.isKnown()) {
      throw new UnavailableException(
          "device %s is not supported by libtorch; use cpu, cuda or cuda:N".formatted(device));
    }
    int index =
        device.name().contains(":")
            ? Integer.parseInt(device.name().substring(device.name().indexOf(':') + 1))
            : 0;
    int devices = engine.getGpuCount();
    if (index >= devices) {
      throw new UnavailableException(
          ("device %s: libtorch %s sees %d CUDA devices; use device cpu, or put"
                  + " ai.djl.pytorch:pytorch-native-cu128 in place of pytorch-native-cpu")
              .formatted(device, version(), devices));
    }
    return ai.djl.Device.gpu(index);
  }
}
