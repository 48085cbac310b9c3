package dev.kvant.tck;

import java.util.Set;

/** What can be wrong with a toy backend, and which tests must find it. */
enum Defect {
  NONE,
  CHANGING_DESCRIPTOR("the_descriptor_is_the_same_at_every_call_and_of_every_instance"),
  ALIAS_LIKE_ID("no_two_names_of_the_backend_are_the_same"),
  NO_PURPOSE("the_descriptor_tells_version_purpose_formats_and_artifacts"),
  NATIVE_AS_DTYPE("every_mode_lists_each_dtype_once_and_never_native"),
  ODD_OPTION_DEFAULT("options_differ_by_key_and_have_defaults_of_their_type"),
  NOT_REGISTERED("service_loader_finds_the_backend"),
  READS_A_FILE_WHEN_MADE("making_and_asking_a_backend_uses_no_file_thread_or_native_library"),
  STARTS_A_THREAD_WHEN_MADE("making_and_asking_a_backend_uses_no_file_thread_or_native_library"),
  CHANGES_ITS_MIND("supports_answers_the_same_at_every_call_and_of_every_instance"),
  REFUSES_WITHOUT_REASON("a_refusal_tells_its_reason_and_a_partial_one_its_artifacts"),
  SUPPORTS_INTEGERS("a_module_without_floating_point_weights_is_refused"),
  OFFERS_WHAT_IT_REFUSES("every_dtype_of_every_mode_can_be_had_by_a_module_of_the_samples"),
  OFFERS_A_RECIPE_TWICE("alternatives_differ_and_are_configurations_that_the_backend_accepts"),
  REJECTS_ITS_OWN_DTYPE("every_dtype_of_every_mode_passes_the_validation_of_the_backend"),
  UNNAMED_ARTIFACT(
      "quantizing_writes_the_artifacts_that_the_descriptor_names",
      "every_allowed_value_of_every_option_works"),
  WRONG_SIZE(
      "quantizing_writes_the_artifacts_that_the_descriptor_names",
      "every_allowed_value_of_every_option_works"),
  REPORT_WITHOUT_NATIVE_MODULES(
      "the_report_tells_what_was_done_to_each_module", "every_allowed_value_of_every_option_works"),
  REPORT_WITHOUT_PLAN_WARNINGS("the_report_repeats_the_warnings_of_the_plan_first"),
  FORGETS_THE_RECORD("a_saved_model_can_be_opened_again_and_carries_its_record"),
  UNREADABLE_ARTIFACT(
      "a_saved_model_can_be_opened_again_and_carries_its_record",
      "modules_that_the_plan_quantizes_are_not_as_they_were",
      "the_reported_sqnr_is_that_of_the_weights_in_the_artifact",
      "outcomes_agree_with_the_stored_tensors",
      "every_allowed_value_of_every_option_works"),
  QUANTIZES_ALL(
      "modules_that_the_plan_leaves_native_keep_their_tensors",
      "a_plan_that_quantizes_nothing_keeps_every_tensor",
      "modules_that_the_plan_quantizes_are_not_as_they_were"),
  QUANTIZES_NOTHING(
      "modules_that_the_plan_quantizes_are_not_as_they_were",
      "the_reported_sqnr_is_that_of_the_weights_in_the_artifact",
      "outcomes_agree_with_the_stored_tensors"),
  NATIVE_AS_ZEROS(
      "modules_that_the_plan_leaves_native_keep_their_tensors",
      "a_plan_that_quantizes_nothing_keeps_every_tensor"),
  QUANTIZED_AS_ZEROS("the_reported_sqnr_is_that_of_the_weights_in_the_artifact"),
  REPORTS_QUANTIZED_AS_NATIVE("outcomes_agree_with_the_stored_tensors"),
  CHOKES_ON_AN_OPTION("every_allowed_value_of_every_option_works"),
  SUPPORTS_UNTRIED_TYPES("the_samples_have_every_type_of_weights_that_the_backend_supports"),
  OPENED_THOUGH_NOTHING_SHOULD("a_saved_model_can_be_opened_again_and_carries_its_record"),
  WRITES_INTO_THE_MODEL("quantizing_leaves_the_model_as_it_was"),
  RANDOM_BYTES(
      "the_same_model_and_plan_give_the_same_bytes_again",
      "saving_makes_the_folder_and_replaces_what_is_old_and_nothing_else",
      "two_runs_at_once_work_as_each_alone"),
  THREADS_SHOW("the_same_model_and_plan_give_the_same_bytes_again"),
  WANTS_THE_FOLDER(
      "quantizing_writes_the_artifacts_that_the_descriptor_names",
      "the_report_tells_what_was_done_to_each_module",
      "the_report_repeats_the_warnings_of_the_plan_first",
      "a_saved_model_can_be_opened_again_and_carries_its_record",
      "modules_that_the_plan_leaves_native_keep_their_tensors",
      "a_plan_that_quantizes_nothing_keeps_every_tensor",
      "modules_that_the_plan_quantizes_are_not_as_they_were",
      "the_reported_sqnr_is_that_of_the_weights_in_the_artifact",
      "outcomes_agree_with_the_stored_tensors",
      "every_allowed_value_of_every_option_works",
      "quantizing_leaves_the_model_as_it_was",
      "the_same_model_and_plan_give_the_same_bytes_again",
      "saving_makes_the_folder_and_replaces_what_is_old_and_nothing_else",
      "progress_starts_at_zero_never_goes_back_and_ends_at_its_total",
      "progress_is_reported_on_the_thread_that_runs_the_step",
      "an_interrupt_at_the_first_progress_ends_the_work_and_nothing_is_half_written",
      "an_interrupt_half_way_ends_the_work_and_nothing_is_half_written",
      "closing_a_run_leaves_the_model_open",
      "no_thread_is_left_behind",
      "two_runs_at_once_work_as_each_alone"),
  LEAVES_A_TEMPORARY_FILE(
      "a_weight_that_is_not_finite_is_an_error_and_old_artifacts_stay",
      "saving_makes_the_folder_and_replaces_what_is_old_and_nothing_else",
      "an_interrupt_at_the_first_progress_ends_the_work_and_nothing_is_half_written",
      "an_interrupt_half_way_ends_the_work_and_nothing_is_half_written",
      "the_same_model_and_plan_give_the_same_bytes_again",
      "two_runs_at_once_work_as_each_alone"),
  EMPTIES_THE_FOLDER(
      "saving_makes_the_folder_and_replaces_what_is_old_and_nothing_else",
      "a_weight_that_is_not_finite_is_an_error_and_old_artifacts_stay",
      "an_interrupt_at_the_first_progress_ends_the_work_and_nothing_is_half_written",
      "an_interrupt_half_way_ends_the_work_and_nothing_is_half_written"),
  TAKES_NAN("a_weight_that_is_not_finite_is_an_error_and_old_artifacts_stay"),
  COUNTS_WHAT_IT_OBSERVES("statistics_of_parts_of_the_data_give_the_bytes_of_the_whole"),
  NEVER_CALIBRATES("what_a_run_observes_has_an_entry_for_each_tensor_that_it_needs"),
  SILENT(
      "progress_starts_at_zero_never_goes_back_and_ends_at_its_total",
      "progress_is_reported_on_the_thread_that_runs_the_step",
      "an_interrupt_at_the_first_progress_ends_the_work_and_nothing_is_half_written",
      "an_interrupt_half_way_ends_the_work_and_nothing_is_half_written"),
  STOPS_SHORT("progress_starts_at_zero_never_goes_back_and_ends_at_its_total"),
  REPORTS_ELSEWHERE(
      "progress_is_reported_on_the_thread_that_runs_the_step",
      "an_interrupt_at_the_first_progress_ends_the_work_and_nothing_is_half_written",
      "an_interrupt_half_way_ends_the_work_and_nothing_is_half_written"),
  DEAF(
      "an_interrupt_at_the_first_progress_ends_the_work_and_nothing_is_half_written",
      "an_interrupt_half_way_ends_the_work_and_nothing_is_half_written"),
  SWALLOWS_THE_FLAG(
      "an_interrupt_at_the_first_progress_ends_the_work_and_nothing_is_half_written",
      "an_interrupt_half_way_ends_the_work_and_nothing_is_half_written"),
  CLOSES_THE_MODEL_WHEN_INTERRUPTED(
      "an_interrupt_at_the_first_progress_ends_the_work_and_nothing_is_half_written",
      "an_interrupt_half_way_ends_the_work_and_nothing_is_half_written"),
  CLOSES_ONCE("closing_twice_is_harmless"),
  CLOSES_THE_MODEL(
      "closing_a_run_leaves_the_model_open",
      "quantizing_leaves_the_model_as_it_was",
      "modules_that_the_plan_leaves_native_keep_their_tensors",
      "a_plan_that_quantizes_nothing_keeps_every_tensor",
      "modules_that_the_plan_quantizes_are_not_as_they_were",
      "two_runs_at_once_work_as_each_alone"),
  LEAVES_A_THREAD("no_thread_is_left_behind"),
  SHARES_STATE("two_runs_at_once_work_as_each_alone");

  @SuppressWarnings("ImmutableEnumChecker") // Set.of cannot be modified.
  private final Set<String> found;

  Defect(String... found) {
    this.found = Set.of(found);
  }

  /** The tests that must fail. */
  Set<String> found() {
    return found;
  }
}
