package dev.kvant.cli;

import dev.kvant.api.Verification;
import dev.kvant.cli.output.Table;
import dev.kvant.cli.output.Table.Column;
import dev.kvant.report.Figures;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

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
    if (verification.tensors() > 0) {
      return "%s read back; %s"
          .formatted(
              Count.of(verification.tensors(), "tensor", "tensors"),
              least(verification.sqnrByTensor(), "a weight").orElse("all equal the source's"));
    }
    return "%s%s; %s"
        .formatted(
            Count.of(verification.samples(), "sample", "samples"),
            verification.synthetic() ? " of made-up values" : "",
            least(verification.sqnrByOutput(), "an output")
                .orElse("shapes and types of the outputs agree"));
  }

  private static Optional<String> least(Map<String, Double> ratios, String what) {
    return ratios.values().stream()
        .min(Double::compare)
        .map(
            least ->
                "the min SQNR of %s is %s"
                    .formatted(
                        what,
                        Double.isInfinite(least)
                            ? "infinite: they are equal"
                            : Figures.decibels(least)));
  }
}
