package dev.kvant.integration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.ModelQuantizer;
import dev.kvant.kit.WeightOnlyRun;
import dev.kvant.numerics.FloatType;
import dev.kvant.runtime.Kvant;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.tck.QuantizationBackendContract;
import japicmp.model.JApiClass;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javassist.ClassPool;
import javassist.CtClass;
import javassist.CtNewMethod;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("What others compile against")
class ApiCompatibilityTest {

  /** What was released last; until there is a release, what is promised for the first. */
  private static final Path BASELINE = Path.of("src", "test", "api-baseline");

  private static final String ACCEPT = "kvant.baseline";

  static Stream<Arguments> modules() {
    return Stream.of(
        Arguments.of("kvant-api", ModelQuantizer.class),
        Arguments.of("kvant-spi", QuantizationBackend.class),
        Arguments.of("kvant-numerics", FloatType.class),
        Arguments.of("kvant-kit", WeightOnlyRun.class),
        Arguments.of("kvant-tck", QuantizationBackendContract.class),
        Arguments.of("kvant-runtime", Kvant.class));
  }

  private static PublicApi current(String module, Class<?> type) {
    return PublicApi.of(module, ClassPathElement.of(type).files());
  }

  @ParameterizedTest(name = "still finds all that it knows in {0}")
  @MethodSource("modules")
  void still_finds_all_that_it_knows(String module, Class<?> type) throws IOException {
    Path file = BASELINE.resolve(module + ".jar");
    PublicApi now = current(module, type);
    if ("accept".equals(System.getProperty(ACCEPT))) {
      Files.createDirectories(BASELINE);
      Files.write(file, now.jar());
    }
    List<JApiClass> broken = new PublicApi(module, Files.readAllBytes(file)).brokenBy(now);

    assertThat(broken)
        .as(
            "%s breaks what was promised; VERSIONING.md says what may, and how to accept that:%n%s",
            module, PublicApi.describe(broken))
        .isEmpty();
  }

  /** The backend interface as users know it, changed. */
  private static List<JApiClass> brokenBy(Change change) throws Exception {
    PublicApi before = current("kvant-spi", QuantizationBackend.class);
    String file = QuantizationBackend.class.getName().replace('.', '/') + ".class";
    Map<String, byte[]> files = new TreeMap<>(before.files());
    CtClass type =
        new ClassPool(true).makeClass(new ByteArrayInputStream(before.files().get(file)));
    change.apply(type);
    files.put(file, type.toBytecode());
    return before.brokenBy(PublicApi.of("kvant-spi", files));
  }

  private interface Change {
    void apply(CtClass type) throws Exception;
  }

  @Test
  void would_notice_that_a_method_is_gone() throws Exception {
    List<JApiClass> broken =
        brokenBy(type -> type.removeMethod(type.getDeclaredMethod("descriptor")));

    assertThat(broken).hasSize(1);
    assertThat(PublicApi.describe(broken)).contains("descriptor()");
  }

  @Test
  void would_notice_a_method_that_every_backend_must_have_from_now_on() throws Exception {
    assertThat(
            brokenBy(type -> type.addMethod(CtNewMethod.make("public abstract int more();", type))))
        .hasSize(1);
  }

  @Test
  void would_not_mind_a_method_that_backends_may_have() throws Exception {
    assertThat(
            brokenBy(
                type -> type.addMethod(CtNewMethod.make("public int more() { return 1; }", type))))
        .isEmpty();
  }
}
