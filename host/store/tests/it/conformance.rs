//! Every topic of the suite, on SQLite and on PostgreSQL.

use quantum_store::conformance as suite;

macro_rules! topics {
    ($($topic:ident :: { $($name:ident),+ $(,)? })+) => {
        mod sqlite {
            $(mod $topic {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let folder = crate::folder();
                    super::super::suite::$topic::$name(&*crate::opener(&folder)).await.unwrap();
                })+
            })+
        }

        mod postgres {
            $(mod $topic {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let Some(database) = crate::postgres::prepared().await else { return };
                    super::super::suite::$topic::$name(&*database.opener()).await.unwrap();
                })+
            })+
        }

        #[test]
        fn every_topic_is_run() {
            let run = [$($(concat!("pub async fn ", stringify!($name), "(")),+),+];
            let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance");
            let topics = [$(stringify!($topic)),+].map(|topic| std::fs::read_to_string(source.join(format!("{topic}.rs"))));
            let written: usize = topics.into_iter().map(|text| text.unwrap().matches("pub async fn ").count()).sum();
            assert_eq!(run.len(), written, "a function of the suite is not listed here");
        }
    };
}

topics! {
    journal::{
        a_refused_commit_does_not_fail_its_batch,
        commits_that_are_handed_over_together_share_one_flush,
        what_is_queued_becomes_durable_together,
        commits_of_one_execution_in_a_batch_follow_each_other,
        one_of_many_racing_commits_wins,
        events_must_be_consecutive,
        events_are_read_from_any_seq_on,
        a_replaced_owner_is_fenced,
    }
    idempotency::{
        one_of_fifty_with_the_same_key_wins,
        a_refused_effect_leaves_its_key_free,
        a_key_is_kept_for_24_hours,
        an_intent_is_created_once_a_key,
    }
    executions::{
        pages_are_stable_while_rows_are_added,
        filters_narrow_the_list,
        pages_of_a_label_hold_every_row_once,
        recovery_reads_every_open_execution_once,
    }
    intents::{
        a_name_is_given_once,
        one_version_is_active,
        a_change_based_on_an_old_revision_is_refused,
        search_finds_what_the_shown_version_says,
        pages_hold_every_intent_once,
    }
    isolation::{
        twins_do_not_see_each_other,
        a_mark_of_one_tenant_is_shown_to_no_other,
        twins_do_not_see_each_others_effects,
        a_row_of_another_tenant_is_withheld,
    }
    durability::{
        a_closed_store_opens_with_everything_committed,
        closing_writes_what_is_queued,
        a_dropped_store_keeps_what_was_acknowledged,
    }
    logs::{ lines_are_numbered_per_execution }
    installations::{ the_newest_installation_is_active }
    artifacts::{
        a_name_is_moved_to_new_content,
        the_same_content_is_one_artifact,
        names_are_listed_by_holder_and_prefix,
        a_tenant_keeps_no_more_than_its_quota,
        names_without_an_execution_go,
    }
    blueprints::{
        every_change_is_a_revision,
        a_change_that_is_based_on_an_old_revision_is_refused,
        blueprints_are_listed_with_their_newest_revision,
    }
    key_value::{
        a_revision_never_comes_back,
        one_of_many_who_compare_wins,
        a_value_is_absent_when_its_time_is_over,
        a_plugin_keeps_no_more_than_its_quota,
    }
    secrets::{
        a_secret_has_one_row_an_environment,
        secrets_are_listed_and_bounded,
        keys_are_replaced_without_losing_a_value,
    }
    tenant_settings::{
        a_change_is_based_on_the_latest_revision,
        what_holds_is_known_from_memory,
        targets_classify_the_versions_that_name_them,
    }
    schedules::{
        a_name_is_given_once_at_a_time,
        a_change_of_a_schedule_is_based_on_its_revision,
        what_was_handled_stays_handled,
        due_schedules_are_read_page_by_page,
        schedules_are_listed_by_name,
    }
    retention::{
        what_ended_until_the_cut_goes,
        what_was_purged_is_not_there_any_more,
        nothing_is_left_of_an_execution,
        what_something_open_needs_stays,
        what_was_restarted_meanwhile_stays,
        batches_are_bounded,
    }
    nodes::{
        a_node_learns_that_its_lease_was_over,
        a_lease_ends_unless_it_is_extended,
        nodes_are_listed_with_what_they_own,
        who_is_alone_ends_all_other_leases,
        executions_of_dead_nodes_are_taken_over_in_batches,
        a_node_takes_nothing_from_itself,
        an_execution_is_taken_over_by_one,
        what_has_ended_is_adopted,
        claimed_executions_are_loaded_together,
        what_a_program_does_not_read_is_left_to_newer_ones,
        a_node_finds_what_was_taken_from_it,
        one_node_leads,
        one_decides_about_places_at_a_time,
    }
    commands::{
        a_command_is_taken_once_and_answered,
        commands_are_taken_in_their_order,
        a_command_that_nobody_took_is_withdrawn,
        commands_go_by_the_owner_of_the_moment,
        old_commands_go,
        commands_of_a_twin_are_not_there,
    }
    usage::{
        two_nodes_add_to_the_same_sums,
        a_refused_commit_books_nothing,
        usage_is_listed_in_groups,
        usage_of_all_tenants_is_told_by_tenant,
        old_usage_goes,
    }
    platform::{ a_tenant_is_created_once, a_person_has_one_membership_a_tenant }
}
