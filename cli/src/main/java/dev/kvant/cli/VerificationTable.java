package dev.kvant.cli;

import dev.kvant.api.Verification;
import dev.kvant.cli.output.JsonDocument;
import dev.kvant.cli.output.Table;
import dev.kvant.cli.output.Table.Column;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Shows what came of running artifacts beside their source. */
final class VerificationTable {

  private VerificationTable() {}

  /** A row for each artifact. */
  static Table of(List<Verification> verifications) {
    Table table = Table.of(Column.name("verification"), Column.name("result"), Column.prose("why"));
    for (Verification verification : verifications) {
      table.row(verification.artifact().getFileName(), result(verification), reason(verification));
    }
    return table;
  }

  private static String result(Verification verification) {
    return verification.status().name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static String reason(Verification verification) {
    if (verification.reason() != null) {
      return verification.reason();
    }
    String samples =
        Count.of(verification.samples(), "sample", "samples")
            + (verification.synthetic() ? " of made-up values" : "");
    return verification.sqnrByOutput().values().stream()
        .min(Double::compare)
        .map(
            least ->
                "%s; the least SQNR of an output is %s"
                    .formatted(
                        samples,
                        Double.isInfinite(least)
                            ? "infinite: they are equal"
                            : String.format(Locale.ROOT, "%.1f dB", least)))
        .orElse(samples + "; shapes and types of the outputs agree");
  }

  /** The same as a document; an infinite ratio is null. */
  static JsonDocument document(Verification verification) {
    List<JsonDocument> outputs = new ArrayList<>();
    verification
        .sqnrByOutput()
        .forEach(
            (output, ratio) ->
                outputs.add(
                    new JsonDocument()
                        .put("output", output)
                        .put("sqnr", Double.isInfinite(ratio) ? null : ratio)));
    return new JsonDocument()
        .put("path", verification.artifact())
        .put("status", verification.status().name().toLowerCase(Locale.ROOT))
        .put("reason", verification.reason())
        .put("samples", verification.samples())
        .put("synthetic", verification.synthetic())
        .put("outputs", outputs);
  }
}
