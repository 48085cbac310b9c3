package dev.kvant.integration;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.GeneralCodingRules;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Lock;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("The architecture")
@TestInstance(Lifecycle.PER_CLASS)
class ArchitectureTest {

  /**
   * A module.
   *
   * @param packages its packages
   * @param knows the packages of modules that it may know
   * @param libraries what else it may know beside the JDK; empty for whatever it declares
   */
  private record Module(List<String> packages, List<String> knows, List<String> libraries) {

    @Override
    public String toString() {
      return packages.get(0);
    }
  }

  /** What protoc makes of onnx.proto keeps no rules of ours. */
  private static final String GENERATED = "dev.kvant.onnx.proto";

  /** Generated, or in Kotlin, whose types say it themselves. */
  private static final List<String> UNMARKED = List.of(GENERATED, "dev.kvant.kotlin");

  private static final List<String> ANNOTATIONS = List.of("org.jspecify..");

  private JavaClasses all = new ClassFileImporter().importClasses();

  @BeforeAll
  void importClasses() {
    all =
        new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.kvant");
  }

  static Stream<Module> modules() {
    return Stream.of(
        new Module(
            List.of("dev.kvant.api.."),
            List.of(),
            List.of("jakarta.validation..", "org.jspecify..")),
        new Module(
            List.of("dev.kvant.spi.."),
            List.of("dev.kvant.api..", "dev.kvant.numerics.."),
            ANNOTATIONS),
        new Module(
            List.of("dev.kvant.kit.."),
            List.of("dev.kvant.api..", "dev.kvant.spi..", "dev.kvant.numerics.."),
            ANNOTATIONS),
        new Module(List.of("dev.kvant.numerics.."), List.of(), ANNOTATIONS),
        new Module(
            List.of("dev.kvant.validation.."),
            List.of("dev.kvant.api..", "dev.kvant.spi.."),
            List.of("jakarta.validation..", "org.hibernate.validator..", "org.jspecify..")),
        new Module(
            List.of("dev.kvant.runtime.."),
            List.of(
                "dev.kvant.api..",
                "dev.kvant.spi..",
                "dev.kvant.numerics..",
                "dev.kvant.validation.."),
            List.of("com.google.gson..", "org.yaml.snakeyaml..", "org.slf4j..", "org.jspecify..")),
        new Module(
            List.of("dev.kvant.guice.."),
            List.of("dev.kvant.api..", "dev.kvant.spi..", "dev.kvant.runtime.."),
            List.of()),
        new Module(
            List.of("dev.kvant.kotlin.."),
            List.of("dev.kvant.api..", "dev.kvant.spi..", "dev.kvant.runtime.."),
            List.of()),
        new Module(
            List.of("dev.kvant.maven.."),
            List.of(
                "dev.kvant.api..", "dev.kvant.spi..", "dev.kvant.runtime..", "dev.kvant.report.."),
            List.of("org.apache.maven..", "org.codehaus.plexus..", "org.jspecify..")),
        new Module(List.of("dev.kvant.micrometer.."), List.of("dev.kvant.api.."), List.of()),
        new Module(
            List.of("dev.kvant.spring.."),
            List.of(
                "dev.kvant.api..",
                "dev.kvant.spi..",
                "dev.kvant.runtime..",
                "dev.kvant.validation..",
                "dev.kvant.micrometer.."),
            List.of()),
        new Module(
            List.of("dev.kvant.tck.."),
            List.of(
                "dev.kvant.api..", "dev.kvant.spi..", "dev.kvant.numerics..", "dev.kvant.kit.."),
            List.of()),
        new Module(
            List.of(
                "dev.kvant.torch",
                "dev.kvant.torch.archive..",
                "dev.kvant.torch.pickle..",
                "dev.kvant.torch.safetensors..",
                "dev.kvant.torch.script..",
                "dev.kvant.torch.tensor.."),
            List.of("dev.kvant.api..", "dev.kvant.spi..", "dev.kvant.numerics.."),
            List.of()),
        new Module(
            List.of("dev.kvant.torch.runtime.."),
            List.of("dev.kvant.api..", "dev.kvant.spi..", "dev.kvant.torch.."),
            List.of()),
        new Module(
            List.of("dev.kvant.backend.torchao.."),
            List.of(
                "dev.kvant.api..",
                "dev.kvant.spi..",
                "dev.kvant.numerics..",
                "dev.kvant.kit..",
                "dev.kvant.torch.."),
            List.of()),
        new Module(
            List.of("dev.kvant.backend.modelopt.."),
            List.of(
                "dev.kvant.api..",
                "dev.kvant.spi..",
                "dev.kvant.numerics..",
                "dev.kvant.kit..",
                "dev.kvant.torch.."),
            List.of()),
        new Module(
            List.of("dev.kvant.onnx", "dev.kvant.onnx.graph..", "dev.kvant.onnx.proto.."),
            List.of("dev.kvant.api..", "dev.kvant.spi..", "dev.kvant.numerics.."),
            List.of()),
        new Module(
            List.of("dev.kvant.onnx.runtime.."),
            List.of("dev.kvant.api..", "dev.kvant.spi..", "dev.kvant.onnx.."),
            List.of()),
        new Module(
            List.of("dev.kvant.backend.onnx.."),
            List.of(
                "dev.kvant.api..",
                "dev.kvant.spi..",
                "dev.kvant.numerics..",
                "dev.kvant.kit..",
                "dev.kvant.onnx.."),
            List.of()),
        new Module(
            List.of("dev.kvant.backend.compressedtensors.."),
            List.of(
                "dev.kvant.api..", "dev.kvant.spi..", "dev.kvant.numerics..", "dev.kvant.kit.."),
            List.of("com.google.gson..", "org.jspecify..")),
        new Module(
            List.of("dev.kvant.gguf.."),
            List.of("dev.kvant.api..", "dev.kvant.spi..", "dev.kvant.kit.."),
            ANNOTATIONS),
        new Module(
            List.of("dev.kvant.backend.gguf.."),
            List.of(
                "dev.kvant.api..",
                "dev.kvant.spi..",
                "dev.kvant.numerics..",
                "dev.kvant.kit..",
                "dev.kvant.gguf.."),
            List.of("com.google.gson..", "org.jspecify..")),
        new Module(
            List.of("dev.kvant.readers.images.."),
            List.of("dev.kvant.api..", "dev.kvant.spi..", "dev.kvant.numerics.."),
            List.of()),
        new Module(
            List.of("dev.kvant.readers.text.."),
            List.of("dev.kvant.api..", "dev.kvant.spi.."),
            List.of()),
        new Module(
            List.of("dev.kvant.report.."),
            List.of("dev.kvant.api..", "dev.kvant.spi..", "dev.kvant.runtime.."),
            List.of("com.google.gson..", "org.jspecify..")),
        new Module(
            List.of("dev.kvant.cli.."),
            List.of(
                "dev.kvant.api..",
                "dev.kvant.spi..",
                "dev.kvant.validation..",
                "dev.kvant.runtime..",
                "dev.kvant.report.."),
            List.of()));
  }

  @ParameterizedTest
  @MethodSource("modules")
  void lets_each_module_know_only_those_below_it(Module module) {
    classes()
        .that(resideInAnyPackage(module.packages().toArray(String[]::new)))
        .should()
        .onlyDependOnClassesThat(permitted(module))
        .check(all);
  }

  private static DescribedPredicate<JavaClass> permitted(Module module) {
    DescribedPredicate<JavaClass> own =
        resideInAnyPackage(module.packages().toArray(String[]::new))
            .or(resideInAnyPackage(module.knows().toArray(String[]::new)));
    DescribedPredicate<JavaClass> foreign =
        module.libraries().isEmpty()
            ? DescribedPredicate.not(resideInAPackage("dev.kvant.."))
            : resideInAnyPackage(module.libraries().toArray(String[]::new))
                .or(resideInAnyPackage("java..", "javax.imageio.."))
                .or(describe("are primitive", type -> type.getBaseComponentType().isPrimitive()));
    return own.or(foreign);
  }

  @Test
  void has_every_class_in_a_module_that_is_checked() {
    List<String> packages = modules().flatMap(module -> module.packages().stream()).toList();

    classes().should().resideInAnyPackage(packages.toArray(String[]::new)).check(all);
  }

  @Test
  void keeps_the_torchao_backend_from_running_models() {
    noClasses()
        .that()
        .resideInAPackage("dev.kvant.backend.torchao..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.kvant.torch.runtime..")
        .check(all);
  }

  @Test
  void lets_only_the_command_line_print() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.kvant.cli..")
        .should(GeneralCodingRules.ACCESS_STANDARD_STREAMS)
        .check(all);
  }

  @Test
  void lets_only_the_command_line_exit() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.kvant.cli..")
        .should()
        .callMethod(System.class, "exit", int.class)
        .orShould()
        .callMethod(Runtime.class, "exit", int.class)
        .orShould()
        .callMethod(Runtime.class, "halt", int.class)
        .check(all);
  }

  @Test
  void logs_in_one_way() {
    noClasses()
        .that()
        // Keeps Hibernate Validator from greeting on standard error; logs nothing itself.
        .doNotHaveFullyQualifiedName("dev.kvant.validation.BeanConstraints")
        .should(GeneralCodingRules.USE_JAVA_UTIL_LOGGING)
        .check(all);
  }

  @Test
  void never_asks_for_the_context_class_loader() {
    noClasses()
        .that()
        // DJL finds its libraries by the context class loader; these set it as long as that takes.
        .doNotHaveFullyQualifiedName("dev.kvant.torch.runtime.Libtorch")
        .and()
        .doNotHaveFullyQualifiedName("dev.kvant.readers.text.Tokens")
        .and()
        .doNotHaveFullyQualifiedName("dev.kvant.onnx.runtime.DjlEngine")
        .should()
        .callMethod(Thread.class, "getContextClassLoader")
        .check(all);
  }

  @Test
  void keeps_no_state_in_static_fields() {
    fields()
        .that()
        .areStatic()
        .and(describe("are written by people", ArchitectureTest::isWritten))
        .should()
        .beFinal()
        .andShould()
        .notHaveRawType(describe("can change", ArchitectureTest::canChange))
        .check(all);
  }

  private static boolean isWritten(JavaField field) {
    return !field.getModifiers().contains(JavaModifier.SYNTHETIC)
        && !field.getOwner().getPackageName().equals(GENERATED);
  }

  /** Types made to be changed; a constant declared as List or Map is taken for what it is. */
  private static boolean canChange(JavaClass type) {
    return type.getPackageName().startsWith("java.util.concurrent")
        || type.isAssignableTo(ThreadLocal.class)
        || type.isAssignableTo(Lock.class)
        || type.isAssignableTo(StringBuilder.class)
        || type.isAssignableTo(ClassLoader.class)
        || isConcreteCollection(type);
  }

  private static boolean isConcreteCollection(JavaClass type) {
    return !type.isInterface()
        && (type.isAssignableTo(Collection.class) || type.isAssignableTo(Map.class));
  }

  @Test
  void marks_every_package_null_safe() {
    List<String> unmarked =
        all.stream()
            .map(JavaClass::getPackage)
            .distinct()
            .filter(each -> !UNMARKED.contains(each.getName()))
            .filter(each -> !each.isAnnotatedWith(NullMarked.class))
            .map(JavaPackage::getName)
            .toList();

    assertThat(unmarked).isEmpty();
  }
}
