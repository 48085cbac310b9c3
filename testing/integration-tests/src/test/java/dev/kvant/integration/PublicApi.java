package dev.kvant.integration;

import japicmp.cmp.JApiCmpArchive;
import japicmp.cmp.JarArchiveComparator;
import japicmp.cmp.JarArchiveComparatorOptions;
import japicmp.config.Options;
import japicmp.filter.AnnotationClassFilter;
import japicmp.model.AccessModifier;
import japicmp.model.JApiClass;
import japicmp.output.stdout.StdoutOutputGenerator;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import javassist.ClassPool;
import javassist.CtBehavior;
import javassist.CtClass;
import javassist.CtField;
import javassist.Modifier;

/**
 * The classes of a module as its users see them: their public and protected members, without code,
 * as a jar. Classes that are not public stay in, since public ones may inherit from them.
 */
final class PublicApi {

  /** Neither anonymous nor a description of a package or module. */
  private static final Pattern CLASS =
      Pattern.compile("(?!.*(-info|\\$[0-9].*)\\.class).*\\.class");

  private static final LocalDateTime ALWAYS = LocalDateTime.of(2026, 1, 1, 0, 0);

  private final String name;
  private final byte[] jar;

  /**
   * A jar that was made of such classes before.
   *
   * @param name the module
   * @param jar the content of the jar
   */
  PublicApi(String name, byte[] jar) {
    this.name = name;
    this.jar = jar.clone();
  }

  /** What the classes of a jar or folder offer. */
  static PublicApi of(String name, Map<String, byte[]> files) {
    Map<String, byte[]> outlines = new TreeMap<>();
    files.forEach(
        (file, content) -> {
          if (CLASS.matcher(file).matches()) {
            outline(file, content, outlines);
          }
        });
    return new PublicApi(name, zip(outlines));
  }

  private static void outline(String file, byte[] content, Map<String, byte[]> outlines) {
    try {
      CtClass type = new ClassPool(true).makeClass(new ByteArrayInputStream(content));
      for (CtBehavior behavior : type.getDeclaredBehaviors()) {
        if (isVisible(behavior.getModifiers())) {
          behavior.getMethodInfo().removeCodeAttribute();
        } else {
          type.getClassFile().getMethods().remove(behavior.getMethodInfo());
        }
      }
      for (CtField field : type.getDeclaredFields()) {
        if (!isVisible(field.getModifiers())) {
          type.getClassFile().getFields().remove(field.getFieldInfo());
        }
      }
      type.getClassFile().compact();
      outlines.put(file, type.toBytecode());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (javassist.CannotCompileException e) {
      throw new IllegalStateException(e);
    }
  }

  private static boolean isVisible(int modifiers) {
    return Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers);
  }

  private static byte[] zip(Map<String, byte[]> files) {
    var bytes = new ByteArrayOutputStream();
    try (var zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        var entry = new ZipEntry(file.getKey());
        entry.setTimeLocal(ALWAYS);
        zip.putNextEntry(entry);
        zip.write(file.getValue());
        zip.closeEntry();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** The content of the jar. */
  byte[] jar() {
    return jar.clone();
  }

  /** The classes of the jar by the names of their files. */
  Map<String, byte[]> files() {
    Map<String, byte[]> files = new TreeMap<>();
    try (var zip = new ZipInputStream(new ByteArrayInputStream(jar))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        files.put(entry.getName(), zip.readAllBytes());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return files;
  }

  /** What code that uses this would no longer find, or no longer compile against, in the other. */
  List<JApiClass> brokenBy(PublicApi newer) {
    return comparator().compare(archive("baseline"), newer.archive("now")).stream()
        .filter(type -> !type.isBinaryCompatible() || !type.isSourceCompatible())
        .toList();
  }

  private JApiCmpArchive archive(String version) {
    return new JApiCmpArchive(jar, name + ".jar", version);
  }

  private static JarArchiveComparator comparator() {
    var options = new JarArchiveComparatorOptions();
    options.setAccessModifier(AccessModifier.PROTECTED);
    options.getIgnoreMissingClasses().setIgnoreAllMissingClasses(true);
    for (String mark : List.of("Experimental", "Internal")) {
      options.getFilters().getExcludes().add(new AnnotationClassFilter("@dev.kvant.api." + mark));
    }
    return new JarArchiveComparator(options);
  }

  /** The differences in words. */
  static String describe(List<JApiClass> broken) {
    Options options = Options.newDefault();
    options.setOutputOnlyModifications(true);
    return new StdoutOutputGenerator(options, broken).generate();
  }
}
