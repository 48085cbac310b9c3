package dev.kvant.torch.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What happens once in a process: libtorch is loaded. Each test starts a process of its own. */
class ProcessTest {

  @Test
  void a_model_runs_where_the_context_class_loader_sees_nothing() throws Exception {
    assertThat(run(Map.of(), "foreign-loader")).endsWith("ran");
  }

  @Test
  void system_properties_and_the_context_class_loader_are_left_as_they_were() throws Exception {
    assertThat(run(Map.of(), "settings")).endsWith("false, null, kept");
  }

  @Test
  void no_java_thread_is_left_that_would_keep_the_process() throws Exception {
    assertThat(run(Map.of(), "threads")).endsWith("[]");
  }

  @Test
  @EnabledOnOs(value = OS.LINUX, disabledReason = "only Linux tells what a process has loaded")
  void libtorch_is_loaded_by_the_first_model_and_not_before() throws Exception {
    assertThat(run(Map.of(), "lazily")).endsWith("before: false, after: true");
  }

  @Test
  void a_folder_that_libtorch_cannot_be_unpacked_to_is_told(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "no folder");

    assertThat(run(Map.of("ENGINE_CACHE_DIR", file.toString()), "unavailable"))
        .contains("UnavailableException: libtorch cannot be loaded: ")
        .contains("It is unpacked to " + file.resolve("pytorch"))
        .endsWith("if that cannot be written, name another folder in ENGINE_CACHE_DIR");
  }

  @Test
  void the_file_of_a_model_is_found_though_another_class_loader_has_its_djl() throws Exception {
    assertThat(run(Map.of(), "foreign-model")).endsWith("echo.pt");
  }

  @Test
  void a_libtorch_that_another_class_loader_has_is_told() throws Exception {
    assertThat(run(Map.of(), "taken"))
        .contains("UnavailableException: libtorch is in use by another class loader")
        .endsWith("or keep one Kvant instead of making another");
  }

  private static String run(Map<String, String> environment, String task)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(LibtorchTask.class.getName(), task));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    try (InputStream output = process.getInputStream()) {
      String text = new String(output.readAllBytes(), StandardCharsets.UTF_8).strip();
      assertThat(process.waitFor()).as(text).isZero();
      return text;
    }
  }

  /** What the processes do. */
  static final class LibtorchTask {

    private LibtorchTask() {}

    /** Does one task and prints what came out. */
    public static void main(String[] arguments) throws Exception {
      System.out.println(
          switch (arguments[0]) {
            case "foreign-loader" -> foreignLoader();
            case "settings" -> settings();
            case "threads" -> threads();
            case "lazily" -> lazily();
            case "unavailable" -> unavailable();
            case "foreign-model" -> new DjlModelSource().locate(foreignModel()).orElseThrow();
            case "taken" -> {
              foreignModel();
              yield unavailable();
            }
            default -> throw new IllegalArgumentException(Arrays.toString(arguments));
          });
    }

    private static String foreignLoader() {
      Thread.currentThread().setContextClassLoader(ClassLoader.getPlatformClassLoader());
      runModel();
      return "ran";
    }

    private static String settings() {
      ClassLoader loader = ClassLoader.getPlatformClassLoader();
      Thread.currentThread().setContextClassLoader(loader);
      System.setProperty("ai.djl.offline", "false");
      runModel();
      return "%s, %s, %s"
          .formatted(
              System.getProperty("ai.djl.offline"),
              System.getProperty("OPT_OUT_TRACKING"),
              Thread.currentThread().getContextClassLoader() == loader ? "kept" : "changed");
    }

    private static String threads() {
      runModel();
      return Thread.getAllStackTraces().keySet().stream()
          .filter(thread -> !thread.isDaemon() && !thread.equals(Thread.currentThread()))
          .filter(thread -> !thread.getName().equals("DestroyJavaVM"))
          .map(Thread::getName)
          .toList()
          .toString();
    }

    private static String lazily() {
      new TorchScriptRunnerProvider().availability();
      boolean before = isLoaded();
      runModel();
      return "before: %s, after: %s".formatted(before, isLoaded());
    }

    private static boolean isLoaded() {
      Path maps = Path.of("/proc/self/maps");
      try {
        return Files.readString(maps, StandardCharsets.ISO_8859_1).contains("libtorch_cpu");
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }

    private static String unavailable() {
      try {
        runModel();
        return "available";
      } catch (dev.kvant.api.UnavailableException e) {
        return e.toString();
      }
    }

    /** A model of a DJL that only its own class loader knows. */
    private static Object foreignModel() throws Exception {
      List<URL> classPath = new ArrayList<>();
      List<String> entries =
          Pattern.compile(File.pathSeparator, Pattern.LITERAL)
              .splitAsStream(System.getProperty("java.class.path"))
              .toList();
      for (String entry : entries) {
        classPath.add(Path.of(entry).toUri().toURL());
      }
      var loader =
          new URLClassLoader(classPath.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
      Thread.currentThread().setContextClassLoader(loader);
      Class<?> type = loader.loadClass("ai.djl.Model");
      Object model =
          type.getMethod("newInstance", String.class, String.class).invoke(null, "echo", "PyTorch");
      type.getMethod("load", Path.class).invoke(model, Models.resource("echo.pt"));
      return model;
    }

    private static void runModel() {
      Models.answer(Models.resource("echo.pt"), Models.scans());
    }
  }
}
