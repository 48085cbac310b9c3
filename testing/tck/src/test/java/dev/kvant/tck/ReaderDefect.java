package dev.kvant.tck;

import java.util.Set;

/** What can be wrong with a toy data reader, and which test must find it. */
enum ReaderDefect {
  NONE(""),
  ANOTHER_OPTION_EACH_TIME("the_descriptor_is_the_same_at_every_call_and_names_each_option_once"),
  NOT_REGISTERED("service_loader_finds_the_data_reader"),
  READS_A_FILE_WHEN_MADE("making_a_data_reader_uses_no_file_thread_or_native_library"),
  KNOWS_NOTHING("the_data_is_recognized"),
  TAKES_EVERYTHING("an_empty_folder_is_not_recognized"),
  DISLIKES_SETTINGS("the_settings_of_the_data_are_valid"),
  LAST_SAMPLE_LOST("samples_have_their_values_whatever_the_size_of_blocks"),
  WRONG_ORDER_IN_BLOCKS("samples_have_their_values_whatever_the_size_of_blocks"),
  ONE_MORE_NAME("samples_have_their_values_whatever_the_size_of_blocks"),
  SHARED_ONCE("shared_values_are_with_every_block"),
  GIVES_TOO_MANY("a_block_has_no_more_samples_than_are_asked_for"),
  COUNTS_WHAT_IS_LEFT("the_count_is_the_number_of_samples_before_and_after_reading"),
  STARTS_AGAIN("there_is_nothing_behind_the_end"),
  SHARES_ITS_PLACE("two_readers_of_one_data_set_do_not_disturb_each_other"),
  CLOSES_ONCE("closing_twice_is_harmless_even_before_the_end"),
  FAILS_ON_CUT_FILES(
      "a_file_that_was_cut_is_read_or_refused_with_a_reason",
      "a_changed_file_is_read_or_refused_with_a_reason"),
  FAILS_ON_PIPES("a_pipe_is_refused_at_once"),
  NAMES_NO_FILE("a_file_that_was_cut_is_read_or_refused_with_a_reason");

  private final String found;

  ReaderDefect(String... found) {
    this.found = String.join(" ", found);
  }

  /** The tests that must fail. */
  Set<String> found() {
    return Set.of(found.split(" ", -1));
  }
}
