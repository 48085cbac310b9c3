package dev.kvant.cli;

import dev.kvant.api.Requirement;
import dev.kvant.cli.output.Table;
import dev.kvant.cli.output.Table.Column;
import java.util.List;

/** Shows what artifacts require of the place where they run. */
final class RequirementTable {

  private RequirementTable() {}

  /** A row for each requirement. */
  static Table of(List<Requirement> requirements) {
    Table table = Table.of(Column.name("requires"), Column.name("value"), Column.prose("why"));
    for (Requirement requirement : requirements) {
      table.row(requirement.of(), requirement.value(), requirement.reason());
    }
    return table;
  }
}
