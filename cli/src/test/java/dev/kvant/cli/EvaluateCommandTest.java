package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluateCommandTest {

  @TempDir private Path folder;
  private Models models;
  private Path model;
  private Path rounding;
  private Path data;

  @BeforeEach
  void write() {
    models = new Models(folder);
    model = models.model("fc Linear weight:float32:2x2\n");
    rounding = models.model("rounding.text", "fc Linear weight:int8:2x2\n");
    data =
        new NpzWriter()
            .floats("input", new float[] {2, 0, 0.3f, 0.4f, 1, 0}, 3, 2)
            .longs("label", new long[] {0, 1, 1}, 3)
            .write(folder.resolve("data.npz"));
  }

  @Test
  void counts_right_answers_where_they_are_known() {
    Session session = evaluate(model);

    assertThat(session.exitCode()).isZero();
    assertThat(session.err()).isEmpty();
    assertThat(session.out())
        .startsWith("3 samples of %s, 32 at once on cpu\n\n".formatted(data))
        .containsPattern("model\\.text +\\d+ B +0\\.6667 +2/3 +\\d+\\.\\d\\d ms");
  }

  @Test
  void compares_with_a_reference() {
    JsonObject json =
        evaluate(rounding, "--reference", model.toString(), "--batch-size=2", "--format=json")
            .json();

    assertThat(json.get("samples").getAsInt()).isEqualTo(3);
    assertThat(json.get("batch_size").getAsInt()).isEqualTo(2);
    JsonObject reference = json.getAsJsonArray("models").get(0).getAsJsonObject();
    assertThat(reference.get("path").getAsString()).isEqualTo(model.toString());
    assertThat(reference.get("correct").getAsInt()).isEqualTo(2);
    JsonObject compared = json.getAsJsonArray("models").get(1).getAsJsonObject();
    assertThat(compared.get("correct").getAsInt()).isEqualTo(1);
    assertThat(compared.get("cosine_mean").getAsDouble()).isBetween(0.6666, 0.6667);
    assertThat(compared.get("cosine_min").getAsDouble()).isZero();
    assertThat(compared.get("latency_ms").getAsDouble()).isPositive();
  }

  @Test
  void a_gate_that_is_passed_changes_nothing() {
    assertThat(evaluate(model, "--min-top1", "0.66").exitCode()).isZero();
  }

  @Test
  void a_gate_that_is_not_passed_has_its_own_exit_code() {
    Session session =
        evaluate(rounding, "--reference", model.toString(), "--min-top1=0.5", "--min-cosine=0.99");

    assertThat(session.exitCode()).isEqualTo(3);
    assertThat(session.out()).contains("rounding.text");
    assertThat(session.err())
        .isEqualTo(
            """
            gate not passed: top-1 is 0.333333, less than 0.5
            gate not passed: the mean cosine is 0.666667, less than 0.99
            """);
  }

  @Test
  void answers_that_are_not_numbers_pass_no_gate() {
    data =
        new NpzWriter()
            .floats("input", new float[] {Float.NaN, 0}, 1, 2)
            .write(folder.resolve("data.npz"));

    Session session = evaluate(model, "--reference", model.toString(), "--min-cosine=-1");

    assertThat(session.exitCode()).isEqualTo(3);
    assertThat(session.err()).contains("the mean cosine is NaN");
  }

  @Test
  void data_that_holds_no_numbers_is_told_with_what_comes_of_it() {
    data =
        new NpzWriter()
            .floats("input", new float[] {Float.NaN, 0, 1, Float.POSITIVE_INFINITY, 2, 3}, 3, 2)
            .write(folder.resolve("data.npz"));

    Session session = evaluate(model);

    assertThat(session.exitCode()).isZero();
    assertThat(session.err())
        .isEqualTo(
            """
            warning: %s has a NaN or an infinity in 2 of 3 samples
            warning: %s gives a NaN or an infinity for 2 of 3 samples
            """
                .formatted(data, model));
    assertThat(session.out()).contains("not finite");
  }

  @Test
  void a_model_that_makes_no_numbers_of_sound_data_is_told() {
    Path broken = models.model("broken.text", "fc Broken weight:float32:2x2\n");

    Session session = evaluate(broken);

    assertThat(session.err())
        .isEqualTo(
            "warning: %s gives a NaN or an infinity for 3 of 3 samples, though the data has none\n"
                .formatted(broken));
    JsonObject json = evaluate(broken, "--format=json").json();
    assertThat(json.get("not_finite").getAsInt()).isZero();
    assertThat(json.getAsJsonArray("models").get(0).getAsJsonObject().get("not_finite").getAsInt())
        .isEqualTo(3);
  }

  @Test
  void a_cosine_gate_without_a_reference_is_wrong_usage() {
    Session session = evaluate(model, "--min-cosine=0.9");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err())
        .startsWith("error: --min-cosine needs a --reference to compare with\n");
  }

  @Test
  void an_accuracy_gate_without_right_answers_is_wrong_usage() {
    data = new NpzWriter().floats("input", new float[2], 1, 2).write(folder.resolve("data.npz"));

    Session session = evaluate(model, "--min-top1=0.9");

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err()).startsWith("error: --min-top1 needs an array 'label' in ");
  }

  @Test
  void a_batch_of_nothing_is_wrong_usage() {
    assertThat(evaluate(model, "--batch-size=0").exitCode()).isEqualTo(2);
    assertThat(evaluate(model, "--batch-size=many").exitCode()).isEqualTo(2);
  }

  @Test
  void a_device_that_is_none_is_wrong_usage_and_one_that_is_missing_fails() {
    assertThat(evaluate(model, "--device=tpu").exitCode()).isEqualTo(2);

    Session session = evaluate(model, "--device=cuda:1");

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.err()).isEqualTo("error: there is no device cuda:1\n");
  }

  @Test
  void answers_of_another_shape_cannot_be_judged() {
    data =
        new NpzWriter()
            .floats("input", new float[8], 1, 2, 4)
            .longs("label", new long[1], 1)
            .write(folder.resolve("data.npz"));

    Session session = evaluate(model);

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.err())
        .contains("an output of shape [samples, classes] is needed", "has shape [1, 2, 4]");
  }

  private Session evaluate(Path evaluated, String... arguments) {
    return Session.run(
        Stream.concat(
                Stream.of("evaluate", evaluated.toString(), "--data", data.toString()),
                List.of(arguments).stream())
            .toArray(String[]::new));
  }

  @Test
  void compares_what_a_search_in_embeddings_finds() {
    Session session =
        evaluate(
            rounding,
            "--reference",
            model.toString(),
            "--embeddings=mean",
            "--top-k=1",
            "--format=json");

    // (2, 0) finds (1, 0), (1, 0) finds (2, 0), and (0.3, 0.4) is rounded to (0, 0).
    JsonObject retrieval = session.json().getAsJsonObject("retrieval");
    assertThat(retrieval.get("texts").getAsInt()).isEqualTo(3);
    assertThat(retrieval.get("k").getAsInt()).isEqualTo(1);
    assertThat(retrieval.get("recall").getAsDouble()).isEqualTo(1);
    assertThat(retrieval.get("ndcg").getAsDouble()).isEqualTo(1);
    assertThat(retrieval.get("spearman").getAsDouble()).isEqualTo(1);
  }

  @Test
  void fails_where_a_search_finds_too_little() {
    Path broken = models.model("broken.text", "fc Broken weight:float32:2x2\n");
    Session session =
        evaluate(broken, "--reference", model.toString(), "--min-recall=0.5", "--top-k=1");

    assertThat(session.exitCode()).isEqualTo(ExitCode.GATE_FAILED);
    assertThat(session.err()).contains("gate not passed: recall@1 is NaN, less than 0.5");
  }

  @Test
  void embeddings_need_a_reference_enough_texts_and_a_known_pooling() {
    assertThat(evaluate(rounding, "--embeddings=mean").err())
        .contains("--embeddings needs a --reference to compare with");
    assertThat(evaluate(rounding, "--min-recall=0.9").err())
        .contains("--min-recall needs a --reference to compare with");
    assertThat(evaluate(rounding, "--reference", model.toString(), "--embeddings=max").err())
        .contains("--embeddings must be mean or cls, not 'max'");
    assertThat(evaluate(rounding, "--reference", model.toString(), "--embeddings=mean").err())
        .contains("recall and nDCG of the first 10 texts need at least 11 texts, but there are 3");
  }
}
