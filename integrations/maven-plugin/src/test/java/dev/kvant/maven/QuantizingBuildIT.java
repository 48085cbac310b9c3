package dev.kvant.maven;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("A build with the plugin")
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "its local repository is made of links")
class QuantizingBuildIT {

  private static final Path ROOT = Path.of(LocalRepository.property("kvant.root"));
  private static final Path DIGITS = ROOT.resolve("examples/digits");

  private static final String UP_TO_DATE = "is up to date";

  /** Maven marks these as errors, and what -e would show begins like that. */
  private static final String STACK_TRACE = "\tat ";

  @TempDir private static Path repository;
  @TempDir private Path project;

  @BeforeAll
  static void createRepository() throws IOException {
    LocalRepository.create(repository);
  }

  @BeforeEach
  void copyModel() throws IOException {
    Files.copy(DIGITS.resolve("models/resnet.onnx"), project.resolve("model.onnx"));
    Files.copy(DIGITS.resolve("data/calibration.npz"), project.resolve("calibration.npz"));
    Files.copy(DIGITS.resolve("data/test.npz"), project.resolve("test.npz"));
  }

  /** A project whose only plugin is configured like that. */
  private void pom(String configuration) throws IOException {
    pom(project, "pom", "", configuration);
  }

  private static void pom(Path folder, String packaging, String plugins, String configuration)
      throws IOException {
    Files.createDirectories(folder);
    Files.writeString(
        folder.resolve("pom.xml"),
        """
        <project xmlns="http://maven.apache.org/POM/4.0.0">
          <modelVersion>4.0.0</modelVersion>
          <groupId>org.example</groupId>
          <artifactId>%s</artifactId>
          <version>1</version>
          <packaging>%s</packaging>
          <build>
            <plugins>%s
        %s
            </plugins>
          </build>
        </project>
        """
            .formatted(folder.getFileName(), packaging, plugins, plugin(configuration)));
  }

  private static String plugin(String configuration) {
    return """
              <plugin>
                <groupId>dev.kvant</groupId>
                <artifactId>kvant-maven-plugin</artifactId>
                <version>%s</version>
                <executions>
                  <execution>
                    <goals><goal>quantize</goal></goals>
                  </execution>
                </executions>
                <configuration>%s</configuration>
              </plugin>
        """
        .formatted(LocalRepository.property("kvant.version"), configuration);
  }

  private Build build(String... arguments) throws Exception {
    return Build.run(repository, project, arguments);
  }

  @Test
  void quantizes_once_with_a_gate_and_a_report_and_again_when_the_model_has_changed()
      throws Exception {
    pom("<model>model.onnx</model><minSqnr>20</minSqnr>");

    Build first = build("process-resources");
    Path artifact = project.resolve("target/kvant/quantized_model.onnx");

    assertThat(first.output()).contains("BUILD SUCCESS").contains("Report: file:///");
    assertThat(Files.size(artifact)).isLessThan(Files.size(project.resolve("model.onnx")) / 3);
    assertThat(project.resolve("target/kvant/report.html")).isNotEmptyFile();
    assertThat(project.resolve("target/kvant/report.json"))
        .content()
        .contains("\"report_version\": 1", "\"verified\"");
    assertThat(project.resolve("target/kvant/spec.yaml"))
        .content()
        .contains("backend: onnx", "min_sqnr: 20");
    byte[] bytes = Files.readAllBytes(artifact);

    Build second = build("process-resources");

    assertThat(second.output()).contains("BUILD SUCCESS").contains(UP_TO_DATE);
    assertThat(second.output()).doesNotContain("Report:");

    Files.delete(artifact);
    assertThat(build("process-resources").output()).doesNotContain(UP_TO_DATE);
    assertThat(artifact).hasBinaryContent(bytes);

    Files.copy(
        DIGITS.resolve("models/transformer.onnx"),
        project.resolve("model.onnx"),
        StandardCopyOption.REPLACE_EXISTING);
    assertThat(build("process-resources").output()).doesNotContain(UP_TO_DATE);
    assertThat(Files.readAllBytes(artifact)).isNotEqualTo(bytes);
  }

  @Test
  void fails_at_a_gate_with_the_reason_and_no_stack_trace_until_it_is_passed() throws Exception {
    pom("<model>model.onnx</model><minSqnr>90</minSqnr>");

    Build failed = build("process-resources");

    assertThat(failed.succeeded()).isFalse();
    assertThat(failed.errors())
        .contains("gate not passed: ", "dB", "90", "lower <minSqnr>", "report.html");
    assertThat(failed.output()).doesNotContain(STACK_TRACE);
    assertThat(build("process-resources").succeeded()).isFalse();

    pom("<model>model.onnx</model><minSqnr>20</minSqnr><maxSize>10%</maxSize>");

    assertThat(build("process-resources").errors())
        .contains("gate not passed: the artifacts have ", "the maximum is 10%");
  }

  @Test
  void packs_a_model_that_was_calibrated_and_compared_on_data() throws Exception {
    String plugins =
        """

              <plugin>
                <artifactId>maven-resources-plugin</artifactId>
                <version>3.3.1</version>
              </plugin>
        """;
    pom(
        project,
        "jar",
        plugins,
        "<model>model.onnx</model><data>calibration.npz</data><mode>static_ptq</mode>"
            + "<evaluationData>test.npz</evaluationData><minCosine>0.98</minCosine>"
            + "<maxSize>35%</maxSize><resourcePath>models</resourcePath>");

    Build built = build("process-resources");

    assertThat(built.output()).contains("BUILD SUCCESS");
    assertThat(project.resolve("target/classes/models/quantized_model.onnx"))
        .hasSameBinaryContentAs(project.resolve("target/kvant/quantized_model.onnx"));
    assertThat(project.resolve("target/kvant/report.json"))
        .content()
        .contains("\"mode\": \"static_ptq\"", "\"cosine_mean\": 0.9");

    Files.delete(project.resolve("target/classes/models/quantized_model.onnx"));
    assertThat(build("process-resources").output()).contains(UP_TO_DATE);
    assertThat(project.resolve("target/classes/models/quantized_model.onnx")).isNotEmptyFile();

    Files.copy(
        project.resolve("test.npz"),
        project.resolve("calibration.npz"),
        StandardCopyOption.REPLACE_EXISTING);
    assertThat(build("process-resources").output()).doesNotContain(UP_TO_DATE);
  }

  @Test
  void follows_a_spec_in_a_file_whose_paths_count_from_the_project() throws Exception {
    Files.writeString(
        project.resolve("int8.yaml"),
        """
        quantize:
          backend: onnx
          mode: static_ptq
          model_path: model.onnx
          layers:
            - module_name: Linear
              weights: { dtype: int8 }
              activations: { dtype: int8 }
          calibration: { path: calibration.npz, batch_size: 64 }
        """);
    pom("<spec>int8.yaml</spec>");
    Path elsewhere = Files.createDirectory(project.resolve("elsewhere"));

    Build built =
        Build.run(
            repository,
            elsewhere,
            "-f",
            project.resolve("pom.xml").toString(),
            "process-resources");

    assertThat(built.output()).contains("BUILD SUCCESS");
    assertThat(project.resolve("target/kvant/quantized_model.onnx")).isNotEmptyFile();
    assertThat(project.resolve("target/kvant/spec.yaml")).doesNotExist();
  }

  @Test
  void tells_all_that_is_wrong_with_a_spec_in_the_pom_with_the_nearest_names() throws Exception {
    pom(
        "<model>model.onnx</model><quantize><backend>onnx</backend><mode>dynamic_ptq</mode>"
            + "<layers><layer><module_name>Linear</module_name>"
            + "<weights><dtyp>int8</dtyp></weights></layer></layers>"
            + "<stric>true</stric></quantize>");

    Build failed = build("process-resources");

    assertThat(failed.succeeded()).isFalse();
    assertThat(failed.errors())
        .contains("quantize.layers[0].weights.dtyp", "did you mean 'dtype'?")
        .contains("quantize.stric", "did you mean 'strict'?");
    assertThat(failed.output()).doesNotContain(STACK_TRACE);
    assertThat(project.resolve("target")).doesNotExist();
  }

  @Test
  void explains_a_model_that_is_not_there_and_data_that_a_gate_lacks() throws Exception {
    pom("<model>modell.onnx</model>");
    Build missing = build("process-resources");
    pom("<model>model.onnx</model><minCosine>0.99</minCosine>");
    Build dataless = build("process-resources");
    pom("<minSqnr>20</minSqnr>");
    Build modelless = build("process-resources");

    assertThat(missing.errors()).contains("modell.onnx", "does not exist");
    assertThat(dataless.errors()).contains("<minCosine> needs data", "<evaluationData>");
    assertThat(modelless.errors()).contains("give <model> in the configuration of the plugin");
    assertThat(missing.output() + dataless.output() + modelless.output())
        .doesNotContain(STACK_TRACE);
  }

  @Test
  void plans_without_writing_and_skips_on_request() throws Exception {
    pom("<model>model.onnx</model>");
    String goal = "dev.kvant:kvant-maven-plugin:" + LocalRepository.property("kvant.version");

    Build planned = build(goal + ":plan", "-Dkvant.model=model.onnx");
    Build skipped = build("process-resources", "-Dkvant.skip");

    assertThat(planned.output())
        .contains(
            "BUILD SUCCESS",
            "backend onnx, mode ",
            " (Conv): weights int8, activations native",
            "backend: onnx");
    assertThat(skipped.output()).contains("BUILD SUCCESS", "Kvant is skipped");
    assertThat(project.resolve("target")).doesNotExist();
  }

  @Test
  void quantizes_the_models_of_several_modules_at_once() throws Exception {
    List<String> modules = List.of("a", "b", "c");
    Files.writeString(
        project.resolve("pom.xml"),
        """
        <project xmlns="http://maven.apache.org/POM/4.0.0">
          <modelVersion>4.0.0</modelVersion>
          <groupId>org.example</groupId>
          <artifactId>all</artifactId>
          <version>1</version>
          <packaging>pom</packaging>
          <modules><module>a</module><module>b</module><module>c</module></modules>
        </project>
        """);
    for (String module : modules) {
      pom(
          project.resolve(module),
          "pom",
          "",
          "<model>../model.onnx</model><data>../calibration.npz</data><minSqnr>10</minSqnr>");
    }

    Build built = build("-T3", "process-resources");

    assertThat(built.output())
        .contains("BUILD SUCCESS")
        .doesNotContain("not marked as thread-safe");
    for (String module : modules) {
      assertThat(project.resolve(module).resolve("target/kvant/quantized_model.onnx"))
          .isNotEmptyFile();
    }
  }

  @Test
  void refuses_two_executions_that_write_into_one_folder() throws Exception {
    pom("<model>model.onnx</model>");
    Path pom = project.resolve("pom.xml");
    String text = Files.readString(pom);
    assertThat(text).contains("<executions>");
    Files.writeString(
        pom,
        text.replace(
            "<executions>",
            "<executions><execution><id>other</id><goals><goal>quantize</goal></goals>"
                + "</execution>"));

    Build failed = build("process-resources");

    assertThat(failed.errors())
        .contains("'other'", "'default'", "both write into", "<outputDirectory>");
  }
}
