//! A random model of "cut, then append": toy logs with files that lose what was not synced, a toy journal, and the real
//! verdicts of [`thalweg_log::redo`]. The power is cut anywhere, or the process killed, inside recovery too. Afterwards
//! each log is what some prefix of what was asked of it makes, and that prefix has all that was acknowledged.
//!
//! The rules are worth what their absence costs: each is broken in turn, and must then be missed within 1,000 seeds.
#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

mod log;
mod ring;
mod segment;
mod toy;

use toy::Directory;

/// What writers and recovery keep to. See the list in `redo`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Rule {
    /// An append cuts first.
    CutBeforeAppend,
    /// An append that a later truncation killed is skipped.
    SkipKilledAppend,
    /// An append before a later `Placed` is skipped.
    SkipAppendBeforePlaced,
    /// A truncation before a later `Placed` is skipped.
    SkipTruncateBeforePlaced,
    /// What stands before a `Drop` is skipped.
    SkipBeforeDrop,
    /// A file is cut only after its entry is durable.
    CutAfterDurable,
    /// Nothing is written to a file whose cut is to come.
    WriteAfterCut,
    /// A checkpoint writes a log out only while no cut of it is to come.
    CheckpointWaitsForCuts,
    /// A checkpoint syncs.
    CheckpointSyncs,
    /// A journal's file is reused only behind a checkpoint that a durable frame names.
    ReuseBehindADurableCheckpoint,
    /// The lane begins only while no cut is to come.
    LaneBeginsWithoutCuts,
    /// The lane writes all that its log still owes the file.
    LaneWritesAllPending,
    /// The lane syncs before `Placed`.
    LaneSyncs,
    /// No entry of a log overtakes its `Placed`.
    LaneIsNotOvertaken,
    /// The lane writes behind a durable entry that no checkpoint has named: recovery cuts off what it leaves.
    LaneWritesBehindAnEntry,
    /// A checkpoint waits for what the lane writes behind an entry that it is about to name.
    CheckpointWaitsForTheLane,
    /// A write that its log was told of is acknowledged when it is synced, not before.
    LaneAcknowledgesTheSynced,
    /// A synced write is acknowledged when its log was told of it, not before.
    LaneAcknowledgesTheTold,
    /// What was being placed is kept if it is whole.
    RecoveryKeepsWhatIsWhole,
    /// What was being placed and is deleted need not be whole.
    RecoveryMissesNothingDeleted,
    /// What recovery keeps it syncs: it may be in a page cache that outlived the process.
    RecoverySyncsWhatItKeeps,
}

const RULES: [Rule; 21] = [
    Rule::CutBeforeAppend,
    Rule::SkipKilledAppend,
    Rule::SkipAppendBeforePlaced,
    Rule::SkipTruncateBeforePlaced,
    Rule::SkipBeforeDrop,
    Rule::CutAfterDurable,
    Rule::WriteAfterCut,
    Rule::CheckpointWaitsForCuts,
    Rule::CheckpointSyncs,
    Rule::ReuseBehindADurableCheckpoint,
    Rule::LaneBeginsWithoutCuts,
    Rule::LaneWritesAllPending,
    Rule::LaneSyncs,
    Rule::LaneIsNotOvertaken,
    Rule::LaneWritesBehindAnEntry,
    Rule::CheckpointWaitsForTheLane,
    Rule::LaneAcknowledgesTheSynced,
    Rule::LaneAcknowledgesTheTold,
    Rule::RecoveryKeepsWhatIsWhole,
    Rule::RecoveryMissesNothingDeleted,
    Rule::RecoverySyncsWhatItKeeps,
];

#[test]
fn with_all_rules_nothing_acknowledged_is_lost_doubled_reordered_or_invented() {
    for seed in 0..3000 {
        if let Err(loss) = Directory::new(seed, None).live() {
            panic!("seed {seed}: {loss}");
        }
    }
}

#[test]
fn without_any_one_of_them_something_is() {
    let missed = |rule: Rule| (0..1000).find_map(|seed| Some((seed, Directory::new(seed, Some(rule)).live().err()?)));
    let found = RULES.map(|rule| (rule, missed(rule)));
    for (rule, first) in &found {
        println!("{rule:?}: {first:?}");
    }
    let harmless: Vec<Rule> = found.iter().filter(|(_, first)| first.is_none()).map(|(rule, _)| *rule).collect();
    assert_eq!(harmless, [], "nothing happens without these rules: the model is too kind, or they are not needed");
}
