package dev.kvant.report;

import dev.kvant.api.Verification;
import dev.kvant.runtime.report.ReportTree;

/**
 * The verification of an artifact for programs.
 *
 * @since 0.1.0
 */
public final class VerificationDocument {

  private VerificationDocument() {}

  /** The result of one artifact; an infinite ratio is null. */
  public static JsonDocument of(Verification verification) {
    var document = new JsonDocument().put("path", verification.artifact());
    ReportTree.of(verification).forEach(document::put);
    return document;
  }
}
