package dev.kvant.runtime.discovery;

import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/** Compiles sources and puts them into a jar, with whatever else. */
final class JarBuilder {

  private final Map<String, String> sources = new LinkedHashMap<>();
  private final Map<String, byte[]> files = new LinkedHashMap<>();
  private final List<String> left = new ArrayList<>();
  private final List<Path> classPath = new ArrayList<>();

  /** Adds a class of that qualified name. */
  JarBuilder source(String className, String source) {
    sources.put(className, source);
    return this;
  }

  /** Leaves a class out of the jar after it was compiled. */
  JarBuilder without(String className) {
    left.add(className.replace('.', '/') + ".class");
    return this;
  }

  /** Compiles against a jar too. */
  JarBuilder against(Path jar) {
    classPath.add(jar);
    return this;
  }

  /** Names providers of a service. */
  JarBuilder service(Class<?> service, String... lines) {
    return file("META-INF/services/" + service.getName(), String.join("\n", lines));
  }

  /** Adds a file. */
  JarBuilder file(String name, String content) {
    return file(name, content.getBytes(StandardCharsets.UTF_8));
  }

  /** Adds a file. */
  JarBuilder file(String name, byte[] content) {
    files.put(name, content);
    return this;
  }

  /** Writes the jar and gives its path, as it will be shown. */
  Path write(Path jar) throws IOException {
    Files.createDirectories(jar.getParent());
    Path classes = Files.createTempDirectory(jar.getParent(), ".classes");
    compile(classes);
    try (OutputStream out = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(out);
        Stream<Path> compiled = Files.walk(classes)) {
      for (Path file : compiled.filter(Files::isRegularFile).toList()) {
        String name = classes.relativize(file).toString().replace('\\', '/');
        if (!left.contains(name)) {
          add(zip, name, Files.readAllBytes(file));
        }
      }
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        add(zip, file.getKey(), file.getValue());
      }
    }
    return jar.toRealPath();
  }

  private static void add(ZipOutputStream zip, String name, byte[] content) throws IOException {
    zip.putNextEntry(new ZipEntry(name));
    zip.write(content);
    zip.closeEntry();
  }

  private void compile(Path classes) {
    if (sources.isEmpty()) {
      return;
    }
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    String path = System.getProperty("java.class.path");
    for (Path jar : classPath) {
      path += System.getProperty("path.separator") + jar;
    }
    StringWriter messages = new StringWriter();
    List<JavaFileObject> units = new ArrayList<>();
    sources.forEach((name, source) -> units.add(new Source(name, source)));
    boolean compiled =
        compiler
            .getTask(
                messages,
                null,
                null,
                List.of("-proc:none", "-cp", path, "-d", classes.toString()),
                null,
                units)
            .call();
    if (!compiled) {
      throw new UncheckedIOException(new IOException(messages.toString()));
    }
  }

  private static final class Source extends SimpleJavaFileObject {

    private final String text;

    Source(String className, String text) {
      super(URI.create("string:///" + className.replace('.', '/') + ".java"), Kind.SOURCE);
      this.text = text;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }
}
