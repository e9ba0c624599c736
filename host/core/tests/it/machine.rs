//! What an execution does next, case by case: a script each.

use crate::script::render;
use crate::support::check_file;

fn check(script: &str) {
    check_file(&format!("scripts/{script}.txt"), render);
}

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $script:literal;)+) => {
        $($(#[$doc])* #[test] fn $name() { check($script); })+

        #[test]
        fn every_script_is_played() {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scripts");
            let mut files: Vec<String> =
                std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
            files.sort();
            let mut played = vec![$(concat!($script, ".txt")),+];
            played.sort_unstable();
            assert_eq!(files, played);
        }
    };
}

scripts! {
    steps_run_one_after_another = "sequential";
    an_intent_without_steps_ends_as_it_starts = "empty";
    a_diamond_runs_its_middle_steps_side_by_side = "diamond";
    steps_without_edges_all_start_at_once = "parallel";
    a_reference_in_an_expression_is_an_edge = "edge-by-expression";
    a_retry_waits_for_the_drawn_time = "retry-jitter";
    a_retry_waits_at_least_as_long_as_the_other_side_asked = "retry-after";
    the_last_attempt_is_followed_by_none = "max-attempts";
    a_code_that_is_not_retried_ends_the_step = "non-retryable";
    traps_and_timeouts_are_retried_for_idempotent_actions_alone = "idempotent";
    a_lost_attempt_is_run_again_unless_the_action_runs_at_most_once = "lost";
    a_failure_of_another_kind_is_final = "final-failures";
    a_refused_step_fails_without_an_attempt = "refused";
    parameters_that_do_not_fit_fail_the_step = "parameters";
    cancelling_interrupts_what_runs = "cancel-running";
    cancelling_ends_a_step_that_waits_for_its_retry = "cancel-retrying";
    cancelling_skips_what_has_not_started = "cancel-pending";
    a_failure_lets_running_steps_end_and_starts_no_other = "failure-beside-running";
    an_answer_of_another_attempt_changes_nothing = "stale";
    a_command_after_the_end_changes_nothing = "after-the-end";
    an_output_that_cannot_be_made_fails_the_execution = "output";
    a_plugin_cannot_cancel_by_itself = "cancelled-by-plugin";
    a_false_condition_skips_the_step_and_others_go_on = "when";
    a_list_runs_its_elements_side_by_side_and_keeps_their_order = "for-each";
    a_failed_element_stops_the_others_or_leaves_a_hole = "for-each-failing";
    a_failure_that_is_not_fatal_lets_others_go_on = "on-error";
    what_completed_is_undone_last_first = "compensate";
    a_step_whose_attempts_are_used_up_waits_for_an_operator = "park";
    a_wait_ends_with_its_time_and_holds_nothing_meanwhile = "wait";
    a_signal_gives_its_payload_to_the_step_that_waits_for_it = "signal";
    approvals_are_given_by_others_and_once_each = "approve";
    a_step_waits_for_the_execution_of_another_intent = "child";
    a_step_can_fail_on_purpose = "fail";
    a_paused_execution_lets_attempts_end_and_starts_nothing = "pause";
    a_restart_keeps_results_and_runs_the_rest_again = "restart";
    a_replay_begins_with_the_results_that_stand = "replay";
    an_execution_that_takes_too_long_fails_and_undoes = "timeout";
    a_queued_execution_starts_later_or_is_cancelled = "queue";
    no_attempt_starts_after_the_budget = "budget";
    a_dry_run_does_what_has_no_effect = "dry-run";
}
