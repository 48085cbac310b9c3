package dev.kvant.runtime.report;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.OperatorReport;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.Requirement;
import dev.kvant.api.RuleReference;
import dev.kvant.api.Verification;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReportRecordTest {

  private static final ModuleDecision DECISION =
      new ModuleDecision(
          "encoder.\"ü\n",
          "Linear",
          true,
          new OperandDecision(
              Dtype.INT8,
              Dtype.FP8_E5M2,
              RuleReference.layer(2, "*.fc"),
              List.of(RuleReference.defaults(), RuleReference.skip(0, "head")),
              "no kernel",
              Map.of("b.pth", "why b", "a.pth", "why a"),
              new OperandSettings(
                  Granularity.axis(1),
                  CalibrationAlgorithm.PERCENTILE,
                  Map.of(
                      "percentile",
                      99.99,
                      "bins",
                      2048,
                      "large",
                      1L << 40,
                      "on",
                      true,
                      "name",
                      "x"))),
          OperandDecision.untouched());

  private static final QuantizationReport REPORT =
      new QuantizationReport(
          "torchao",
          QuantizationMode.of("mixed_ptq"),
          List.of(
              ModuleReport.builder(DECISION)
                  .weights(OperandOutcome.quantized(Dtype.INT8, Granularity.group(32), 41.5))
                  .activations(OperandOutcome.leftNative("no data"))
                  .bytes(1L << 40, 7)
                  .note("a note")
                  .build(),
              ModuleReport.builder(DECISION)
                  .weights(
                      OperandOutcome.quantized(
                          Dtype.INT8, Granularity.CHANNEL, Double.POSITIVE_INFINITY))
                  .build()),
          List.of(
              new OperatorReport(
                  "Add",
                  OperandOutcome.quantized(Dtype.INT8, Granularity.TENSOR, null),
                  List.of("a", "b")),
              new OperatorReport("Add", OperandOutcome.leftNative("too small"), List.of("c"))),
          List.of(
              new QuantizationWarning(
                  QuantizationWarning.Kind.NO_MATCH,
                  "nothing",
                  RuleReference.layer(0, "x"),
                  List.of()),
              new QuantizationWarning(
                  QuantizationWarning.Kind.UNTIED, "apart", null, List.of("a", "b"))),
          List.of(Requirement.version("a runtime", "1.22", "blocks of 8 bits")));

  @Test
  void a_report_comes_back_as_it_was() {
    assertThat(ReportRecord.read(ReportRecord.write(REPORT), "test")).isEqualTo(REPORT);
  }

  private static final Verification VERIFICATION =
      Verification.builder(Path.of("a.onnx"), Verification.Status.VERIFIED)
          .samples(8, true)
          .outputs(Map.of("large", 50.0, "low", 21.26, "equal", Double.POSITIVE_INFINITY))
          .tensors(3, Map.of())
          .build();

  private static Optional<Verification> read(byte[] record) {
    return ReportRecord.verification(record, "test", Path.of("a.onnx"));
  }

  private static long checksum(byte[] bytes) {
    var crc = new CRC32();
    crc.update(bytes);
    return crc.getValue();
  }

  @Test
  void the_result_of_a_verification_is_added_without_another_length_or_checksum() {
    byte[] before = ReportRecord.write(REPORT);

    byte[] after = ReportRecord.with(before, VERIFICATION).orElseThrow();

    assertThat(read(before)).isEmpty();
    assertThat(after).hasSameSizeAs(before);
    assertThat(checksum(after)).isEqualTo(checksum(before));
    assertThat(ReportRecord.read(after, "test")).isEqualTo(REPORT);
    assertThat(read(after))
        .contains(
            Verification.builder(Path.of("a.onnx"), Verification.Status.VERIFIED)
                .samples(8, true)
                .outputs(Map.of("low", 21.3))
                .tensors(3, Map.of())
                .build());
    byte[] again =
        ReportRecord.with(after, Verification.notVerified(Path.of("a.onnx"), "why")).orElseThrow();
    assertThat(checksum(again)).isEqualTo(checksum(before));
    assertThat(read(again)).contains(Verification.notVerified(Path.of("a.onnx"), "why"));
  }

  @Test
  void equal_outputs_stay_equal() {
    Verification equal =
        Verification.builder(Path.of("a.onnx"), Verification.Status.VERIFIED)
            .samples(1, false)
            .outputs(Map.of("y", Double.POSITIVE_INFINITY))
            .build();

    assertThat(read(ReportRecord.with(ReportRecord.write(REPORT), equal).orElseThrow()))
        .contains(equal);
  }

  @ParameterizedTest
  @CsvSource({"x, 300", "ü, 300", "😀, 100"})
  void a_long_reason_is_cut_to_what_there_is_room_for(String letter, int kept) {
    Verification verbose = Verification.notVerified(Path.of("a.onnx"), letter.repeat(5000));

    assertThat(read(ReportRecord.with(ReportRecord.write(REPORT), verbose).orElseThrow()))
        .contains(Verification.notVerified(Path.of("a.onnx"), letter.repeat(kept) + "…"));
  }

  @Test
  void a_record_without_room_stays_as_it_is() {
    byte[] full = new String(ReportRecord.write(REPORT), UTF_8).strip().getBytes(UTF_8);

    assertThat(ReportRecord.with(full, VERIFICATION)).isEmpty();
  }

  @Test
  void a_record_that_names_no_requirements_has_none() {
    String text = new String(ReportRecord.write(REPORT), UTF_8);
    String without = text.substring(0, text.indexOf(",\"requirements\"")) + "}";

    assertThat(ReportRecord.read(without.getBytes(UTF_8), "test").requirements()).isEmpty();
  }

  @Test
  void a_record_without_operators_has_none() {
    String text = new String(ReportRecord.write(REPORT), UTF_8);
    int from = text.indexOf(",\"operators\":");
    int to = text.indexOf(",\"warnings\":", from);

    QuantizationReport read =
        ReportRecord.read((text.substring(0, from) + text.substring(to)).getBytes(UTF_8), "test");

    assertThat(read.operators()).isEmpty();
    assertThat(read.modules()).isEqualTo(REPORT.modules());
    assertThat(read.warnings()).isEqualTo(REPORT.warnings());
  }

  @Test
  void the_text_does_not_depend_on_the_order_of_maps() {
    String text = new String(ReportRecord.write(REPORT), UTF_8);

    assertThat(text).contains("\"version\":1,").containsSubsequence("a.pth", "b.pth");
    assertThat(text).containsSubsequence("bins", "large", "name", "on", "percentile");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{}",
        "{\"version\":1}",
        "{\"version\":\"x\"}",
        "{\"version\":1,\"backend\":\"b\",\"mode\":7,\"modules\":[],\"warnings\":[]}",
        "{\"version\":1,\"backend\":\"b\",\"mode\":\"static_ptq\",\"modules\":[7],\"warnings\":[]}",
        "{\"version\":1,\"backend\":{},\"mode\":\"static_ptq\",\"modules\":[],\"warnings\":[]}",
        "{\"version\":1,\"backend\":\"b\",\"mode\":\"static_ptq\",\"modules\":[],\"warnings\":[{"
            + "\"kind\":\"other_kind\",\"message\":\"m\",\"rule\":null,\"modules\":[]}]}"
      })
  void other_text_is_an_error(String text) {
    assertThatThrownBy(() -> ReportRecord.read(text.getBytes(UTF_8), "record 'x' of y.pth"))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("record 'x' of y.pth is not a valid record of Kvant");
  }

  @Test
  void a_nest_of_any_depth_is_an_error() {
    assertThatThrownBy(() -> ReportRecord.read("[".repeat(100_000).getBytes(UTF_8), "test"))
        .isInstanceOf(ModelFormatException.class);
  }

  @Test
  void a_record_of_a_newer_version_is_an_error_that_says_so() {
    assertThatThrownBy(() -> ReportRecord.read("{\"version\":2}".getBytes(UTF_8), "test"))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("record of version 2")
        .hasMessageContaining("use a newer Kvant");
  }
}
