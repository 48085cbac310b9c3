package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.Requirement;
import dev.kvant.api.Verification;
import dev.kvant.runtime.report.ReportRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectCommandTest {

  @TempDir private Path folder;

  @Test
  void shows_modules_as_a_tree_with_their_tensors() {
    Path model = new Models(folder).model(Models.SMALL);

    Session session = Session.run("inspect", model.toString());

    assertThat(session.exitCode()).isZero();
    assertThat(session.err()).isEmpty();
    assertThat(session.out())
        .isEqualTo(
            """
            %s
            text, 4 modules, 5 tensors, 3.91 kB

            module    class       tensor  dtype    shape     size
            ─────────────────────────────────────────────────────
            encoder   Sequential
            ├─ embed  Embedding   weight  float32  100×8  3.20 kB
            └─ fc1    Linear      weight  float32  16×8     512 B
                                  bias    float32  16        64 B
            fc2       Linear      weight  float16  4×16     128 B
                                  bias    float16  4          8 B
            """
                .formatted(model));
  }

  @Test
  void shows_what_the_model_itself_owns_before_its_modules() {
    Path model =
        new Models(folder)
            .model(
                """
                . Network scale:float32:
                a Linear weight:float32:1x1
                """);

    assertThat(Session.run("inspect", model.toString()).out())
        .isEqualTo(
            """
            %s
            text, 1 module, 2 tensors, 8 B

            module  class    tensor  dtype    shape   size
            ──────────────────────────────────────────────
            (root)  Network  scale   float32  scalar   4 B
            a       Linear   weight  float32  1×1      4 B
            """
                .formatted(model));
  }

  @Test
  void branches_go_on_beside_the_tensors_of_a_module() {
    Path model =
        new Models(folder)
            .model(
                """
                a Block
                a.b Linear weight:float32:1x1 bias:float32:1
                a.c Linear weight:float32:1x1
                """);

    assertThat(Session.run("inspect", model.toString()).out())
        .contains(
            """
            a       Block
            ├─ b    Linear  weight  float32  1×1     4 B
            │               bias    float32  1       4 B
            └─ c    Linear  weight  float32  1×1     4 B
            """);
  }

  @Test
  void tied_tensors_other_names_and_scalars_are_noted() {
    Path model =
        new Models(folder)
            .model(
                """
                embed Embedding weight:float32:4x2:shared
                head=output Linear weight:float32:4x2:shared
                scale Scale factor:float32:
                """);

    assertThat(Session.run("inspect", model.toString()).out())
        .contains("3 tensors, 36 B")
        .contains("also output; tied to embed.weight")
        .contains("scalar");
  }

  @Test
  void guessed_classes_are_marked() {
    Path model = new Models(folder).model("fc ~Linear weight:float32:4x2\n");

    assertThat(Session.run("inspect", model.toString()).out())
        .contains("those with ~ are guessed")
        .contains("~Linear");
  }

  @Test
  void guessed_classes_beside_known_ones() {
    Path model =
        new Models(folder).model("fc Linear weight:float32:4x2\nhead ~Linear weight:float32:4x2\n");

    assertThat(Session.run("inspect", model.toString()).out())
        .contains("The file names most classes; those with ~ are guessed");
  }

  @Test
  void names_cannot_control_the_terminal() {
    Path model =
        new Models(folder)
            .model("a\u001b]0;title\u0007=b\u009b2J Li\u001b[8mnear w\u001b[1A:float32:4x2\n");

    assertThat(Session.run("inspect", model.toString()).out())
        .contains("a\\u001b]0;title\\u0007  Li\\u001b[8mnear  w\\u001b[1A", "also b\\u009b2J")
        .doesNotContainPattern("[\\p{Cc}&&[^\n]]");
  }

  @Test
  void a_model_without_modules_is_said_to_have_none() {
    Path model = new Models(folder).model("");

    assertThat(Session.run("inspect", model.toString()).out()).endsWith("\nIt has no modules.\n");
  }

  @Test
  void tells_programs_the_same() {
    Path model =
        new Models(folder)
            .model(
                """
                embed Embedding weight:float32:4x2:shared
                head Linear weight:float32:4x2:shared
                """);

    JsonObject json = Session.run("inspect", model.toString(), "--format", "json").json();

    assertThat(json.get("format").getAsString()).isEqualTo("text");
    assertThat(json.get("tensor_bytes").getAsLong()).isEqualTo(32);
    assertThat(json.get("report").isJsonNull()).isTrue();
    JsonArray modules = json.getAsJsonArray("modules");
    JsonObject tensor =
        modules.get(1).getAsJsonObject().getAsJsonArray("tensors").get(0).getAsJsonObject();
    assertThat(tensor.get("dtype").getAsString()).isEqualTo("float32");
    assertThat(tensor.getAsJsonArray("shape"))
        .extracting(each -> each.getAsInt())
        .containsExactly(4, 2);
    assertThat(tensor.getAsJsonArray("tied_to"))
        .extracting(each -> each.getAsString())
        .containsExactly("embed.weight");
  }

  @Test
  void a_missing_file_fails() {
    Session session = Session.run("inspect", "nothing.pt");

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.out()).isEmpty();
    assertThat(session.err()).isEqualTo("error: the model file nothing.pt does not exist\n");
  }

  @Test
  void programs_get_the_error_as_a_document() {
    Session session = Session.run("inspect", "nothing.pt", "--format", "json");

    assertThat(session.exitCode()).isEqualTo(1);
    JsonObject error = session.json().getAsJsonObject("error");
    assertThat(error.get("exit_code").getAsInt()).isEqualTo(1);
    assertThat(error.get("message").getAsString())
        .isEqualTo("the model file nothing.pt does not exist");
    assertThat(session.err()).isNotEmpty();
  }

  @Test
  void shows_what_an_artifact_requires_and_what_came_of_its_verification() throws IOException {
    Path model = new Models(folder).model("fc Linear weight:int8:1x1\n");
    QuantizationReport report =
        new QuantizationReport(
            "text",
            QuantizationMode.WEIGHT_ONLY_PTQ,
            List.of(),
            List.of(),
            List.of(Requirement.version("a reader", "7", "short lines")));
    Verification verification =
        Verification.builder(model, Verification.Status.VERIFIED)
            .samples(8, false)
            .outputs(Map.of("y", 31.25))
            .build();
    Files.write(
        model.resolveSibling(model.getFileName() + ".record"),
        ReportRecord.with(ReportRecord.write(report), verification).orElseThrow());

    assertThat(Session.run("inspect", model.toString()).out())
        .contains("Quantized by Kvant: backend text, mode weight_only_ptq")
        .contains(
            """
            requires  value       why
            ─────────────────────────────────
            a reader  7 or newer  short lines

            verification  result    why
            ───────────────────────────────────────────────────────────────────────
            model.text    verified  8 samples; the min SQNR of an output is 31.2 dB
            """);
    JsonObject json = Session.run("inspect", model.toString(), "--format", "json").json();
    assertThat(json.getAsJsonObject("report").getAsJsonArray("requirements")).hasSize(1);
    assertThat(json.getAsJsonObject("verification").get("status").getAsString())
        .isEqualTo("verified");
  }
}
