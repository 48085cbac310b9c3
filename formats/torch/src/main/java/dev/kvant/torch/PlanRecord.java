package dev.kvant.torch;

import dev.kvant.api.QuantizationPlan;
import dev.kvant.spi.plan.PlanJson;
import dev.kvant.torch.archive.ArchiveWriter;
import dev.kvant.torch.archive.TorchArchive;
import java.util.Optional;

/** The record of an archive that holds the plan which made it. PyTorch ignores such records. */
final class PlanRecord {

  /** The record's name without the root folder. */
  static final String NAME = "extra/kvant.json";

  private static final int MAX_BYTES = 64 << 20;

  private PlanRecord() {}

  static void write(QuantizationPlan plan, ArchiveWriter archive) {
    archive.record(NAME, PlanJson.write(plan));
  }

  /** The plan of an archive, if it holds one. */
  static Optional<QuantizationPlan> find(TorchArchive archive) {
    return archive
        .find(NAME)
        .map(record -> PlanJson.read(record.readAll(MAX_BYTES), record.toString()));
  }
}
