//! How a repository behaves, whatever database is behind it: named cases, each given an empty one.
//!
//! A case that no database runs is dead code, and so a compiler's warning. Times are parameters or lie in the past, so no case
//! waits.

mod claims;
mod lists;
mod messages;
mod oracle;
mod quotas;
mod records;
mod services;
mod steps;
mod tables;
mod tools;

use std::sync::Arc;

use crate::{Catalog, Repository};

macro_rules! cases {
    ($($file:ident { $($case:ident,)+ })+) => {
        $($(
            #[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                let folder = tempfile::tempdir().unwrap();
                let catalog = Catalog::open(&folder.path().join("c.sqlite")).await.unwrap();
                let repository: Arc<dyn Repository> = Arc::new(catalog);
                $file::$case(repository).await;
            }
        )+)+
    };
}

cases! {
    records {
        a_record_comes_back_as_it_was_written,
        an_id_that_is_taken_is_not_written_over,
        a_change_sets_what_it_names_and_leaves_the_rest,
        a_change_is_refused_from_another_status_and_against_the_table,
        of_many_that_race_for_one_backup_exactly_one_wins,
        dependents_are_derived_from_the_records,
        a_volume_with_snapshots_is_not_deleted,
        what_is_due_is_found_by_volume_path_and_time,
        no_backup_builds_on_itself,
    }
    tables {
        of_all_changes_of_a_backup_only_those_of_the_table_are_made,
        of_all_changes_of_a_volume_only_those_of_the_table_are_made,
        of_all_changes_of_a_snapshot_only_those_of_the_table_are_made,
        a_reset_goes_past_the_table_but_never_into_a_status_that_an_operation_must_end,
    }
    steps {
        steps_are_made_as_a_whole_or_not_at_all,
        each_step_sees_what_the_one_before_it_did,
    }
    quotas {
        a_quota_counts_what_is_not_deleted,
        a_projects_own_limit_wins_over_the_default,
        growing_counts_and_shrinking_is_never_refused,
        snapshots_and_volumes_share_the_gigabytes,
        fifty_at_once_never_have_more_than_the_limit,
        a_limit_that_makes_no_sense_is_refused,
    }
    claims {
        a_living_claim_keeps_another_owner_out,
        who_lost_a_claim_can_change_nothing_any_more,
        a_claim_that_was_given_up_is_worth_nothing,
        of_many_owners_exactly_one_has_the_claim,
        a_claim_and_its_change_are_one,
    }
    lists {
        every_order_of_backups_is_the_oracles_and_markers_walk_it_once,
        offsets_cut_the_same_list,
        every_filter_finds_what_the_oracle_finds,
        text_is_found_within_names_and_its_wildcards_are_letters,
        metadata_are_found_by_key_and_value,
        a_project_sees_its_own_and_no_markers_of_others,
        values_that_mean_nothing_are_refused,
        volumes_snapshots_and_messages_are_walked_once_in_every_order,
    }
    messages {
        messages_expire_and_are_swept,
    }
    services {
        services_are_recorded_counted_removed_and_forgotten,
        the_history_keeps_the_newest_events_of_each_backend_and_reads_on_from_a_number,
        switches_outlive_the_service,
    }
}
