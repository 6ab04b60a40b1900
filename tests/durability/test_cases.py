"""What a training must withstand, case by case, and the tests that try it; those of several processes are elsewhere."""

import ast

import pytest
from import_graph import PACKAGE

ROOT = PACKAGE.parent
CASES = {
    "1 a mistyped group or key": ["config/test_check.py::test_wrong_config", "cli/test_mistyped.py::test_the_hint"],
    "2 a value of another type": ["config/test_check.py::test_wrong_config"],
    "3 a value out of its range": ["config/test_check.py::test_wrong_config"],
    "4 an unknown model": ["config/test_check.py::test_wrong_config"],
    "5 images of another shape than the model's": ["cli/test_main_job.py::test_errors_before_the_first_step"],
    "6 a label out of range": ["data/test_arrays.py::test_label_out_of_range_names_sample_label_and_range"],
    "7 numbers as targets of a loss of classes": ["config/test_check.py::test_wrong_config"],
    "8 cells that are no finite numbers": [
        "data/test_arrays.py::test_number_that_is_not_finite_names_row_and_column",
        "data/test_table_notes.py::test_what_is_not_a_finite_number_is_refused",
        "data/test_table_notes.py::test_the_missing_cells_of_each_column_are_counted",
        "data/test_csv_table.py::test_bad_tables_are_explained",
    ],
    "9 an empty split": [
        "data/test_splits.py::test_fractions_that_leave_a_split_empty_are_refused",
        "data/test_arrays.py::test_empty_official_split_is_named",
    ],
    "10 a corrupt image": [
        "data/test_image_folder.py::test_a_corrupt_image_is_named_or_left_out",
        "data/test_image_folder.py::test_more_corrupt_images_than_allowed_are_an_error",
        "data/test_image_folder.py::test_damage_that_shows_in_training_stops_it_or_is_warned_of",
    ],
    "11 a missing file": [
        "data/test_csv_file.py::test_missing_file_names_those_that_are_there",
        "data/test_mnist.py::test_missing_data_names_the_absolute_folder_and_both_remedies",
    ],
    "12 no space or permission": [
        "durability/test_failures.py::test_a_disk_without_room_for_checkpoints_is_reported_before_training",
        "durability/test_failures.py::test_a_disk_that_fails_at_the_creation_leaves_no_folder",
        "engine/test_checkpoint.py::test_no_permission",
    ],
    "13 a disk that fills in the middle of a save": [
        "engine/test_checkpoint.py::test_a_full_disk_leaves_the_last_good_one_and_no_temporary_file",
        "engine/test_checkpoint.py::test_a_disk_that_was_full_for_a_moment",
        "durability/test_failures.py::test_a_disk_that_fails_at_a_checkpoint_names_cause_and_last_good_one",
    ],
    "14 kill -9 at any moment": [
        "engine/test_kill.py::test_kill_minus_nine",
        "durability/test_kills.py::test_a_training",
        "durability/test_kills.py::test_a_sweep",
        "durability/test_kills.py::test_a_study",
    ],
    "15 a damaged checkpoint": [
        "engine/test_checkpoint.py::test_a_damaged_newest_one_falls_back",
        "engine/test_checkpoint.py::test_none_good_is_an_error_and_none_at_all_is_none",
        "durability/test_damaged_files.py::test_a_damage_is_named_or_changes_nothing",
    ],
    "16 stopped at any step and resumed": ["engine/test_resume.py::test_every_task"],
    "17 the same with scaling, averages, schedules, accumulation": ["engine/test_resume.py::test_every_feature"],
    "18 resumed with another model or other data": [
        "cli/test_main_job.py::test_a_run_from_beginning_to_end",
        "config/test_rerun.py::test_other_keys_of_the_data_are_refused_on_resume",
        "training/test_changed_data.py::test_a_changed_table_is_refused",
    ],
    "19 signals": [
        "cli/test_main_job.py::test_a_signal_saves_and_the_run_goes_on",
        "cli/test_main_job.py::test_a_second_signal_ends_at_once",
        "data/test_decoding_workers.py::test_a_signal_during_the_wait_saves_the_step",
    ],
    "20 a loss that is not finite": [
        "cli/test_main_job.py::test_nan_stops_with_the_step_and_keeps_the_last_good_checkpoint",
        "engine/test_updater.py::test_a_bad_loss_never_reaches_the_weights",
        "engine/test_updater.py::test_loss_scaling_skips_an_overflow_and_gives_up_after_twenty",
        "durability/test_failures.py::test_weights_that_give_nan_are_not_saved",
    ],
    "21 a worker that dies or hangs": [
        "data/test_decoding_workers.py::test_a_stopped_worker_is_named_after_the_timeout",
        "data/test_decoding_workers.py::test_a_killed_worker_is_named_at_once",
    ],
    "23 no such device, or no memory": [
        "cli/test_main_job.py::test_errors_before_the_first_step",
        "durability/test_failures.py::test_out_of_memory",
    ],
    "24 runs at the same time, and an existing folder": [
        "cli/test_main_job.py::test_two_runs_in_the_same_second_and_an_existing_folder",
        "search/test_sweep.py::test_a_failing_job_is_told_and_the_others_go_on",
        "search/test_sweep.py::test_a_folder_of_another_sweep_is_refused_with_the_difference",
    ],
    "25 hostile configs and files": [
        "config/test_security.py::test_a_hostile_experiment",
        "config/test_security.py::test_what_only_the_command_line_may_say",
        "warm_start/test_source.py::test_a_hostile_pickle_does_nothing",
        "hostile/test_hostile.py::test_all_hostile_inputs",
    ],
}


@pytest.mark.parametrize("case", CASES)
def test_its_tests_exist(case: str) -> None:
    for named in CASES[case]:
        file, _, test = named.partition("::")
        tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
        assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, named
