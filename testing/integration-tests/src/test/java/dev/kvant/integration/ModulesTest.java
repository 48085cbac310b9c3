package dev.kvant.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("Each library of the BOM")
class ModulesTest {

  private static final Path BOM = Checkout.ROOT.resolve("bom").resolve("pom.xml");

  private static final Pattern LIBRARY =
      Pattern.compile("<artifactId>kvant-(?!bom)([^<]+)</artifactId>");

  /** Packages whose public types are not for others. */
  private static final List<String> INTERNAL =
      List.of(
          "dev.kvant.backend.compressedtensors.weights",
          "dev.kvant.backend.gguf.blocks",
          "dev.kvant.backend.gguf.checkpoint",
          "dev.kvant.backend.onnx.calibration",
          "dev.kvant.backend.onnx.placement",
          "dev.kvant.backend.onnx.plan",
          "dev.kvant.backend.onnx.preprocess",
          "dev.kvant.backend.onnx.rewrite",
          "dev.kvant.backend.onnx.smooth",
          "dev.kvant.backend.onnx.weights",
          "dev.kvant.cli",
          "dev.kvant.cli.output",
          "dev.kvant.report.uplot",
          "dev.kvant.runtime.calibration",
          "dev.kvant.runtime.plan",
          "dev.kvant.runtime.recipe",
          "dev.kvant.runtime.verification");

  private static final String SERVICES = "META-INF/services/";

  /** Built by a profile of its own, and no module: its packages of Spark are in many jars each. */
  private static final String SPARK = "spark";

  static List<String> libraries() throws IOException {
    return LIBRARY
        .matcher(Files.readString(BOM))
        .results()
        .map(library -> library.group(1))
        .filter(library -> !library.equals(SPARK))
        .toList();
  }

  /** Its jar, or the folder of its classes where there is no jar yet. */
  private static ClassPathElement element(String library) {
    String folder =
        "/%s/target/".formatted(Checkout.ROOT.relativize(Checkout.modules().get(library)));
    return ClassPathElement.all().stream()
        .filter(each -> each.isNamed(folder, "/kvant-" + library + "-0"))
        .filter(each -> !each.isNamed("test-classes"))
        .findFirst()
        .orElseThrow(() -> new AssertionError(library + " is not on the class path of this test"));
  }

  private static ModuleDescriptor module(String library) {
    Set<ModuleReference> modules = ModuleFinder.of(element(library).path()).findAll();
    assertThat(modules).as("%s has no module descriptor", library).hasSize(1);
    return modules.iterator().next().descriptor();
  }

  @Test
  void is_looked_at() throws IOException {
    assertThat(libraries()).hasSizeGreaterThan(15).contains("api", "kotlin", "backend-onnx");
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void is_a_module_with_a_descriptor_and_a_version(String library) {
    ModuleDescriptor module = module(library);

    assertThat(module.isAutomatic()).as("%s has no module descriptor", library).isFalse();
    assertThat(module.name()).startsWith("dev.kvant.");
    assertThat(module.rawVersion()).isPresent();
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void provides_as_a_module_what_it_provides_on_the_class_path(String library) {
    Map<String, List<String>> onClassPath = new TreeMap<>();
    element(library)
        .files()
        .forEach(
            (name, content) -> {
              if (name.startsWith(SERVICES)) {
                onClassPath.put(
                    name.substring(SERVICES.length()),
                    new String(content, StandardCharsets.UTF_8).strip().lines().toList());
              }
            });

    assertThat(
            module(library).provides().stream()
                .collect(
                    Collectors.toMap(
                        ModuleDescriptor.Provides::service, ModuleDescriptor.Provides::providers)))
        .isEqualTo(onClassPath);
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void exports_every_package_that_is_not_internal(String library) {
    ModuleDescriptor module = module(library);
    List<String> hidden = new ArrayList<>(module.packages());
    module.exports().stream()
        .filter(exports -> !exports.isQualified())
        .forEach(exports -> hidden.remove(exports.source()));

    assertThat(INTERNAL).containsAll(hidden);
  }
}
