package dev.kvant.runtime.verification;

import dev.kvant.api.Internal;
import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.api.Verification;
import dev.kvant.runtime.report.ReportRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Writes what came of a verification into the record inside the artifact, in the room that the
 * record leaves for it. Nothing else in the file changes, not even its checksums.
 *
 * @since 0.1.0
 */
@Internal
public final class RecordedVerification {

  private RecordedVerification() {}

  /**
   * Writes it, where the format says where the record is. An artifact that cannot be opened is left
   * as it is.
   *
   * @param runners opens the artifact
   * @param format the id of the artifact's format
   */
  public static void write(RunnerSource runners, Verification verification, String format) {
    Path artifact = verification.artifact();
    Optional<byte[]> record;
    OptionalLong offset;
    try (QuantizableModel model = runners.read(artifact, format).orElse(null)) {
      if (model == null) {
        return;
      }
      record = model.record().flatMap(known -> ReportRecord.with(known, verification));
      offset = model.recordOffset();
    } catch (QuantizationCancelledException e) {
      throw e;
    } catch (KvantException e) {
      // It is rejected because of that.
      return;
    }
    if (record.isPresent() && offset.isPresent()) {
      replace(artifact, offset.getAsLong(), record.get());
    }
  }

  private static void replace(Path artifact, long offset, byte[] record) {
    try (FileChannel channel = FileChannel.open(artifact, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(record);
      while (bytes.hasRemaining()) {
        channel.write(bytes, offset + bytes.position());
      }
      channel.force(false);
    } catch (ClosedByInterruptException e) {
      throw new QuantizationCancelledException(
          "writing into %s was interrupted".formatted(artifact), e);
    } catch (IOException e) {
      throw new KvantException(
          "the result of the verification cannot be written into %s: %s"
              .formatted(artifact, e.getMessage()),
          e);
    }
  }
}
