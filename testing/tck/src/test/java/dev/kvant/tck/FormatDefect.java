package dev.kvant.tck;

import java.util.Set;

/** What can be wrong with a toy format, and which test must find it. */
enum FormatDefect {
  NONE(""),
  UPPER_CASE_ID("the_ids_are_lower_case_distinct_and_the_same_at_every_call"),
  NOT_REGISTERED("service_loader_finds_the_format"),
  READS_A_FILE_WHEN_MADE("making_a_format_uses_no_file_thread_or_native_library"),
  GOES_BY_EXTENSION("a_model_is_recognized_by_its_content_whatever_its_name"),
  PROBES_WITHOUT_RESULT("a_probed_model_is_the_one_that_is_opened"),
  TAKES_EVERYTHING("other_content_is_not_recognized_whatever_its_name"),
  FAILS_ON_PIPES("a_pipe_is_refused_at_once"),
  WRITES_WHEN_OPENED("recognizing_and_opening_leave_the_file_as_it_was"),
  UNKNOWN_ID("an_opened_model_tells_its_file_and_one_of_the_ids"),
  CHILDREN_FIRST("modules_have_names_of_their_own_and_stand_below_their_parents"),
  DOUBLE_TENSOR("tensors_have_names_of_their_own_within_a_module"),
  HIDES_A_TENSOR("each_described_tensor_can_be_read_under_its_qualified_name"),
  TENSOR_OF_ANOTHER_TYPE("each_described_tensor_can_be_read_under_its_qualified_name"),
  READS_FROM_THE_START("a_tensor_reads_the_same_as_a_whole_and_in_pieces_of_any_size"),
  READS_BIG_ENDIAN("a_tensor_reads_the_same_as_a_whole_and_in_pieces_of_any_size"),
  READS_BEHIND_THE_END("a_read_beyond_the_end_of_a_tensor_is_refused"),
  COUNTS_NOTHING("tensor_bytes_count_each_storage_once"),
  RANDOM_STORAGE("a_file_is_described_the_same_each_time_it_is_opened"),
  CLOSES_ONCE("closing_twice_is_harmless_and_leaves_other_models_open"),
  LEAKS_THE_FILE("closing_lets_go_of_the_file"),
  OVERLOOKS_THE_END("a_file_that_was_cut_short_is_refused_as_a_damaged_model"),
  TRUSTS_WHAT_IT_READS("a_changed_file_is_read_or_refused_with_a_reason"),
  ONE_AT_A_TIME("several_threads_can_open_models_with_one_format");

  private final String found;

  FormatDefect(String found) {
    this.found = found;
  }

  /** The test that must fail. */
  Set<String> found() {
    return Set.of(found);
  }
}
