package dev.kvant.tck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.UniqueId;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;

@DisplayName("The contracts")
@DisplayNameGeneration(ReplaceUnderscores.class)
class BrokenProvidersTest {

  @ParameterizedTest(name = "find a backend that is {0}")
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void find_a_broken_backend(Defect defect) {
    assertThat(failures(DefectiveBackend.class, defect, defect.found())).isEqualTo(defect.found());
  }

  @ParameterizedTest(name = "find a format that is {0}")
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void find_a_broken_format(FormatDefect defect) {
    assertThat(failures(DefectiveFormat.class, defect, defect.found())).isEqualTo(defect.found());
  }

  @ParameterizedTest(name = "find a data reader that is {0}")
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void find_a_broken_data_reader(ReaderDefect defect) {
    assertThat(failures(DefectiveReader.class, defect, defect.found())).isEqualTo(defect.found());
  }

  @Test
  void have_no_test_of_a_data_reader_that_no_defect_fails() {
    assertThat(tests(DataReaderContract.class))
        .isEqualTo(
            Arrays.stream(ReaderDefect.values())
                .filter(defect -> defect != ReaderDefect.NONE)
                .flatMap(defect -> defect.found().stream())
                .collect(Collectors.toCollection(TreeSet::new)));
  }

  @Test
  void have_no_test_of_a_backend_that_no_defect_fails() {
    assertThat(tests(QuantizationBackendContract.class))
        .isEqualTo(
            Arrays.stream(Defect.values())
                .flatMap(defect -> defect.found().stream())
                .collect(Collectors.toCollection(TreeSet::new)));
  }

  @Test
  void have_no_test_of_a_format_that_no_defect_fails() {
    assertThat(tests(ModelFormatContract.class))
        .isEqualTo(
            Arrays.stream(FormatDefect.values())
                .filter(defect -> defect != FormatDefect.NONE)
                .flatMap(defect -> defect.found().stream())
                .collect(Collectors.toCollection(TreeSet::new)));
  }

  /** Which of the tests fail. */
  private static Set<String> failures(Class<?> contract, Enum<?> defect, Set<String> tests) {
    return EngineTestKit.engine("junit-jupiter")
        .selectors(
            tests.stream()
                .map(test -> selectMethod(contract, test))
                .toArray(DiscoverySelector[]::new))
        .configurationParameter(DefectResolver.DEFECT, defect.name())
        .execute()
        .testEvents()
        .failed()
        .stream()
        .map(BrokenProvidersTest::methodName)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** The method of a test, or the one that made it. */
  private static String methodName(Event failure) {
    return failure.getTestDescriptor().getUniqueId().getSegments().stream()
        .filter(segment -> Set.of("method", "test-factory").contains(segment.getType()))
        .map(UniqueId.Segment::getValue)
        .map(value -> value.substring(0, value.indexOf('(')))
        .findFirst()
        .orElseThrow();
  }

  /** All tests of a contract, its own and those that it inherits. */
  private static Set<String> tests(Class<?> contract) {
    return Stream.<Class<?>>iterate(
            contract, type -> type != Object.class, type -> type.getSuperclass())
        .flatMap(type -> Arrays.stream(type.getDeclaredMethods()))
        .filter(BrokenProvidersTest::isTest)
        .map(Method::getName)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static boolean isTest(Method method) {
    return method.isAnnotationPresent(Test.class) || method.isAnnotationPresent(TestFactory.class);
  }
}
