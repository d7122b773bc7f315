//! Checks each rule of `Backend` against each adapter.
//!
//! A rule is one function with its sentence as its name. It takes any place,
//! so a new adapter is one line here and one constructor in `place`. What only
//! one adapter can be asked for stands in a module of its own.

mod attributes;
mod bodies;
mod copies;
mod folder;
mod hints;
mod listings;
mod many;
mod names;
mod place;
mod power;
mod processes;
mod races;
mod reads;
mod removals;
mod renames;
mod sftp;
mod sweeps;
mod writes;
mod wrong;

use place::Place;

/// Makes each rule a test on each adapter that can be asked to keep it. What an
/// adapter offers beyond the rules for all stands in its line; that it offers
/// just this is a test, too.
macro_rules! promises {
    (
        everywhere { $($rules:tt)* }
        with_rename { $($renames:tt)* }
        with_many { $($many:tt)* }
        with_times { $($times:tt)* }
        with_access { $($access:tt)* }
        with_copies { $($copies:tt)* }
        with_hints { $($hints:tt)* }
        with_power { $($power:tt)* }
        on_a_disk { $($disks:tt)* }
        with_events { $($events:tt)* }
    ) => {
        promises!(memory_with_swap []: $($rules)* $($power)*);
        promises!(memory_without_swap ["rename"]: $($rules)* $($renames)* $($power)*);
        promises!(memory_unflushed ["rename"]: $($power)*);
        promises!(memory_with_everything ["rename", "many", "times", "access", "copies", "hints"]:
            $($rules)* $($renames)* $($many)* $($times)* $($access)* $($copies)* $($hints)*
            $($power)*
            power::files_stored_together_survive_a_power_cut,);
        promises!(local_folder ["rename", "times", "access", "hints"]:
            $($rules)* $($renames)* $($times)* $($access)* $($hints)* $($disks)* $($events)*);
        promises!(sftp_stock ["rename", "access"]:
            $($rules)* $($renames)* $($access)* $($disks)*);
        promises!(sftp_only ["rename", "access"]:
            $($rules)* $($renames)* $($access)* $($disks)*);
        promises!(sftp_without_hardlinks ["rename", "access"]:
            $($rules)* $($renames)* $($access)* $($disks)*);
        promises!(sftp_as_a_user ["rename", "access"]:
            $($rules)* $($renames)* $($access)* $($disks)*);
    };
    ($adapter:ident [$($offer:literal),*]: $($module:ident::$rule:ident,)*) => {
        mod $adapter {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    // No place where its server is not installed.
                    let place: Option<super::Place> = super::Place::$adapter().into();
                    if let Some(place) = place {
                        super::$module::$rule(&place).await;
                    }
                }
            )*

            #[test]
            fn offers_what_it_is_asked_to_keep() {
                let place: Option<super::Place> = super::Place::$adapter().into();
                if let Some(place) = place {
                    assert_eq!(place.offers(), [$($offer),*] as [&str; _]);
                }
            }
        }
    };
}

promises! {
    everywhere {
        bodies::short_body_fails_and_leaves_nothing,
        bodies::long_body_fails_and_leaves_nothing,
        bodies::broken_body_fails_and_leaves_nothing,
        bodies::failed_replacement_keeps_the_old_content,
        bodies::large_body_arrives_byte_for_byte,
        listings::listing_is_complete,
        listings::listing_holds_only_what_is_below_its_prefix,
        listings::listing_the_root_leaves_out_our_folder,
        listings::listing_enters_no_folder_of_a_system_but_the_one_that_is_asked_for,
        listings::listing_a_file_or_nothing_is_empty,
        listings::parents_appear_and_are_never_listed,
        listings::listing_describes_files_as_a_lookup_does,
        names::unusual_names_come_back_as_they_went,
        names::longest_segment_is_accepted,
        names::deep_path_is_accepted,
        names::names_that_differ_in_normalization_are_two_files,
        races::one_of_many_absent_writes_is_done,
        races::reader_never_sees_a_part_of_a_write,
        races::writers_and_removers_of_one_folder_do_not_disturb_each_other,
        reads::missing_file_is_none,
        reads::folder_is_no_file,
        reads::range_gives_its_bytes,
        reads::range_past_the_end_gives_what_there_is,
        reads::empty_file_reads_as_no_bytes,
        reads::range_in_a_large_file_gives_its_bytes,
        removals::removed_file_is_gone,
        removals::removing_what_is_gone_is_done,
        removals::guarded_removal_of_another_version_is_refused,
        removals::removing_a_folder_removes_nothing,
        writes::refused_write_changes_nothing,
        writes::absent_write_over_a_file_is_refused,
        writes::write_at_a_stale_revision_is_refused,
        writes::write_at_the_current_revision_is_done,
        writes::revision_changes_with_each_write,
        writes::file_below_a_file_is_rejected,
        writes::file_in_place_of_a_folder_is_rejected,
        writes::emptied_folder_is_in_no_files_way,
    }
    with_rename {
        renames::rename_moves_the_whole_file,
        renames::rename_never_replaces,
        renames::rename_of_a_missing_file_is_refused,
        renames::one_of_many_renames_to_a_name_is_done,
    }
    with_many {
        many::files_stored_together_are_all_there,
        many::each_of_many_files_ends_by_itself,
        many::each_name_is_given_to_one_of_many_groups,
    }
    with_times {
        attributes::file_has_the_time_that_was_asked_for,
        attributes::time_ahead_of_the_service_is_the_moment_of_the_write,
        attributes::same_file_written_again_is_another_revision,
    }
    with_access {
        attributes::private_file_is_for_its_owner_alone,
        attributes::private_file_is_told_from_others,
        attributes::access_is_that_of_the_time_of_the_write_by_any_call,
        attributes::file_has_no_attributes_of_the_one_that_it_replaces,
        attributes::refused_write_changes_no_attributes,
    }
    with_copies {
        copies::copied_range_is_a_file_of_its_own,
        copies::range_that_is_not_there_makes_no_copy,
        copies::copy_is_guarded_as_a_write_is,
        copies::copy_takes_the_place_of_a_file_where_it_may,
    }
    with_hints {
        hints::each_change_is_hinted_at,
        hints::change_in_a_folder_that_appears_is_hinted_at,
        hints::who_gives_up_waiting_misses_nothing,
        hints::all_who_watch_are_told,
        hints::watching_changes_nothing,
    }
    with_power {
        power::what_is_ours_survives_a_power_cut,
        power::view_survives_a_power_cut_as_far_as_it_is_said,
    }
    on_a_disk {
        folder::entry_spelled_as_a_folder_is_a_file,
        folder::entry_spelled_as_a_folder_is_in_the_way_of_another,
        folder::body_above_the_entries_hides_none_of_them,
        folder::folder_with_a_body_outside_of_the_log_is_a_folder,
        folder::links_lead_nowhere,
        folder::names_that_are_not_text_and_pipes_do_not_exist_for_us,
        folder::name_too_long_for_the_file_system_is_rejected,
        folder::emptied_folders_of_the_view_go_and_others_stay,
        folder::folder_of_a_file_that_is_replaced_keeps_its_mode,
        folder::empty_folders_made_by_others_are_in_no_files_way,
        sweeps::sweep_removes_old_uploads_alone,
        sweeps::sweep_goes_on_past_what_can_not_be_removed,
        sweeps::sweep_of_an_empty_place_leaves_it_empty,
        sweeps::swept_upload_that_goes_on_fails_and_leaves_nothing,
    }
    with_events {
        hints::file_of_another_program_is_hinted_at,
        hints::watch_of_a_folder_that_goes_is_over,
        hints::watch_of_what_was_moved_away_holds_no_more,
    }
}
