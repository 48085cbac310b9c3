package dev.kvant.runtime.verification;

import dev.kvant.api.Artifact;
import dev.kvant.api.Internal;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Verification;
import dev.kvant.api.VerificationException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Keeps wrong artifacts under another name, so that nobody takes them for right ones.
 *
 * @since 0.1.0
 */
@Internal
public final class RejectedArtifacts {

  private static final String SUFFIX = ".rejected";

  private RejectedArtifacts() {}

  /**
   * Moves the rejected artifacts, and fails.
   *
   * @param saved with at least one that is rejected
   * @param firstWrong the module at which the plan begins to go wrong, if that is known
   * @throws VerificationException always; with the artifacts under their new names
   */
  public static SavedModel keepAside(SavedModel saved, Optional<String> firstWrong) {
    List<Artifact> artifacts = new ArrayList<>(saved.artifacts());
    List<Verification> verifications = new ArrayList<>();
    List<String> messages = new ArrayList<>();
    for (Verification verification : saved.verifications()) {
      if (!verification.isRejected()) {
        verifications.add(verification);
        continue;
      }
      Path aside = moveAside(verification.artifact());
      artifacts.replaceAll(
          artifact ->
              artifact.path().equals(verification.artifact())
                  ? new Artifact(
                      aside,
                      artifact.role(),
                      artifact.format(),
                      artifact.bytes(),
                      artifact.description())
                  : artifact);
      verifications.add(verification.at(aside));
      messages.add(
          "%s is rejected: %s; it is kept as %s"
              .formatted(verification.artifact(), verification.reason(), aside.getFileName()));
    }
    throw new VerificationException(
        "%s. %s"
            .formatted(
                String.join(". ", messages),
                firstWrong
                    .map(
                        "The first module that goes wrong is '%s'; keep it native with skip_names"
                            ::formatted)
                    .orElse("No single module is the cause")),
        new SavedModel(artifacts, saved.report(), verifications));
  }

  private static Path moveAside(Path artifact) {
    Path aside = artifact.resolveSibling(artifact.getFileName() + SUFFIX);
    try {
      return Files.move(artifact, aside, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "%s is wrong, and cannot be moved to %s".formatted(artifact, aside), e);
    }
  }
}
