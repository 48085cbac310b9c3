package dev.kvant.distribution;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/** Makes the jar of a backend that someone else has written. */
final class OtherBackend {

  private static final String SOURCE =
      """
      package other;

      import dev.kvant.api.*;
      import dev.kvant.spi.*;
      import java.util.*;

      public class Backend %4$s implements QuantizationBackend {
        public Backend() { %2$s }

        public BackendDescriptor descriptor() {
          %3$s
          return new BackendDescriptor(
              "%1$s", List.of(), "1", "Someone else's.",
              Map.of(
                  QuantizationMode.WEIGHT_ONLY_PTQ,
                  ModeDescriptor.builder().weights(List.of(Dtype.INT8)).build()),
              List.of("any"), List.of(), List.of(), List.of());
        }

        public Availability availability() {
          %5$s
          return Availability.available();
        }

        public Support supports(SupportQuery query) { return Support.yes(); }

        public QuantizationRun begin(QuantizableModel model, QuantizationPlan plan, RunContext context) {
          throw new UnsupportedOperationException();
        }
      }
      """;

  private final Path folder;
  private final Map<String, String> sources = new LinkedHashMap<>();
  private final List<String> foreign = new ArrayList<>();
  private String id = "other";
  private String constructor = "";
  private String descriptor = "";
  private String superclass = "";
  private String availability = "";
  private boolean signed;

  OtherBackend(Path folder) {
    this.folder = folder;
  }

  OtherBackend called(String name) {
    id = name;
    return this;
  }

  OtherBackend thatFailsWhenItIsMade() {
    constructor = "if (true) throw new IllegalStateException(\"on purpose\");";
    return this;
  }

  OtherBackend thatNeedsANativeLibrary() {
    availability = "System.loadLibrary(\"nowhere_to_be_found\");";
    return this;
  }

  /** Compiled against a version of Kvant that had a method which this one does not have. */
  OtherBackend forAnotherVersion() {
    sources.put(
        "dev/kvant/api/Device.java",
        """
        package dev.kvant.api;
        public class Device { public static void removedLater() {} }
        """);
    foreign.add("dev/kvant/api");
    descriptor = "Device.removedLater();";
    return this;
  }

  /** Named by a services file in a jar that lacks it. */
  OtherBackend thatIsNotThere() {
    foreign.add("other/Backend");
    return this;
  }

  /** Put, without a signature, into a jar whose other class of the package has one. */
  OtherBackend withoutTheSignatureOfItsNeighbour() {
    sources.put("other/Neighbour.java", "package other; public class Neighbour {}");
    superclass = "extends Neighbour";
    signed = true;
    return this;
  }

  Path jar() throws IOException, InterruptedException {
    sources.put(
        "other/Backend.java",
        SOURCE.formatted(id, constructor, descriptor, superclass, availability));
    Path classes = Files.createDirectories(folder.resolve("classes"));
    compile(classes);
    Path jar = folder.resolve("other.jar");
    if (signed) {
      put(jar, classes, "other/Neighbour.class");
      sign(jar);
    }
    Path services = Files.createDirectories(classes.resolve("META-INF/services"));
    Files.writeString(services.resolve("dev.kvant.spi.QuantizationBackend"), "other.Backend\n");
    put(jar, classes, "");
    return jar;
  }

  private void compile(Path classes) {
    var messages = new StringWriter();
    boolean compiled =
        ToolProvider.getSystemJavaCompiler()
            .getTask(
                messages,
                null,
                null,
                List.of("-proc:none", "-d", classes.toString()),
                null,
                sources.entrySet().stream().map(OtherBackend::unit).toList())
            .call();
    assertThat(compiled).as(messages.toString()).isTrue();
  }

  private static JavaFileObject unit(Map.Entry<String, String> source) {
    return new SimpleJavaFileObject(
        URI.create("string:///" + source.getKey()), JavaFileObject.Kind.SOURCE) {
      @Override
      public CharSequence getCharContent(boolean ignoreEncodingErrors) {
        return source.getValue();
      }
    };
  }

  /** Adds what is not in the jar yet, of names that start so. */
  private void put(Path jar, Path classes, String start) throws IOException {
    try (FileSystem zip = FileSystems.newFileSystem(jar, Map.of("create", "true"));
        Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = classes.relativize(file).toString();
        Path target = zip.getPath("/" + name);
        if (name.startsWith(start)
            && foreign.stream().noneMatch(name::startsWith)
            && !Files.exists(target)) {
          Files.createDirectories(target.getParent());
          Files.copy(file, target);
        }
      }
    }
  }

  private void sign(Path jar) throws IOException, InterruptedException {
    Path tools = Path.of(System.getProperty("java.home"), "bin");
    Path keys = folder.resolve("keys");
    String[] password = {"-storepass", "password", "-keystore", keys.toString()};
    run(
        tools.resolve("keytool"),
        password,
        "-genkeypair",
        "-alias",
        "other",
        "-keyalg",
        "RSA",
        "-dname",
        "CN=other");
    run(tools.resolve("jarsigner"), password, jar.toString(), "other");
  }

  private static void run(Path tool, String[] password, String... arguments)
      throws IOException, InterruptedException {
    List<Object> words = new ArrayList<>(List.of(tool));
    words.addAll(List.of(password));
    words.addAll(List.of(arguments));
    Run run = new Run.Command(words.toArray()).run();
    assertThat(run.exitCode()).as(run.out() + run.err()).isZero();
  }
}
