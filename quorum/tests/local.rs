//! A quorum of one: what it promises, what it refuses, and what it says when it can't go on.

mod stage;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use stage::*;
use thalweg_log::LogDirectory;
use thalweg_log::directory::{DirectoryError, Identity};
use thalweg_log::journal::{Journal, Queued};
use thalweg_quorum::entry::Item;
use thalweg_quorum::{
    Committed, Index, LocalMetaLog, MetaLog, OpenError, Position, Presence, ProposeError, Settings, SnapshotError,
    Term, Voter,
};
use thalweg_wire::{BrokerId, Uuid};
use thalweg_world::disk::Disk;
use thalweg_world::simulated::SimulatedWorld;
use thalweg_world::simulated::disk::{Fault, Kind};

/// What was agreed on comes back after a stop, once, in order, and the restart is a term of its own.
#[test]
fn a_restart_gives_back_every_entry_and_begins_a_new_term() {
    play(async || {
        let world = SimulatedWorld::new(1);
        let mut node = Node::boot(&world).await.unwrap();
        assert_eq!((node.term(), node.at), (Term(1), Position::ZERO));
        assert_eq!(node.log.identity().cluster.len(), 22);
        let first = node.log.propose(vec![payload(10, 0), payload(11, 0)]);
        let second = node.log.propose(vec![payload(12, 0)]);
        // The order is that of the calls, whoever is waited for first.
        assert_eq!(second.await, Ok(Index(3)..Index(4)));
        assert_eq!(first.await, Ok(Index(1)..Index(3)));
        assert_eq!(node.log.read_barrier().await, Ok(Index(3)));
        node.hear().await;
        assert_eq!(node.numbers, [10, 11, 12]);
        let (identity, voters, at) = (node.log.identity().clone(), node.log.membership().voters, node.at);
        node.log.stop().await;
        assert_eq!(node.log.propose(vec![payload(13, 0)]).await, Err(ProposeError::Stopped));
        drop(node);

        let mut node = Node::boot(&world.reboot()).await.unwrap();
        assert_eq!((node.numbers.as_slice(), node.at, node.term()), (&[10, 11, 12][..], at, Term(2)));
        assert_eq!((node.log.identity(), node.log.membership().voters), (&identity, voters));
        node.log.propose(vec![payload(13, 0)]).await.unwrap();
        node.hear().await;
        assert_eq!((node.at.index, node.at.term), (Index(4), Term(2)));
    });
}

/// One write carries what queued while the write before was in flight: eight proposals are not eight writes.
#[test]
fn proposals_that_queue_together_are_written_together() {
    play(async || {
        let world = SimulatedWorld::new(2);
        let node = Node::boot(&world).await.unwrap();
        let before = writes(&world);
        let waits: Vec<_> = (0..8).map(|number| node.log.propose(vec![payload(number, 100)])).collect();
        for wait in waits {
            wait.await.unwrap();
        }
        assert!(writes(&world) - before <= 2, "{} writes", writes(&world) - before);
    });
}

fn writes(world: &SimulatedWorld) -> usize {
    world.disk.log().iter().filter(|operation| operation.kind == Kind::WriteDurable).count()
}

/// Two nodes that start on empty disks must not found two clusters over one set of data: where logs have data, metadata
/// is never made anew, and nothing is touched.
#[test]
fn logs_with_data_and_no_metadata_are_refused_with_the_way_out() {
    play(async || {
        let world = SimulatedWorld::new(3);
        let refused = Node::boot_with(&world, settings(Presence::LogsHaveData)).await.err().unwrap();
        assert!(matches!(refused, OpenError::LogsWithoutQuorum(_)));
        for word in ["/data/quorum", "metadata.log.dir", "--data"] {
            assert!(refused.to_string().contains(word), "{refused}");
        }
        assert_eq!(world.disk.operations(), 0);

        // Once there is a past, the same logs are its own.
        drop(Node::boot(&world).await.unwrap());
        world.disk.kill();
        assert_eq!(Node::boot_with(&world.reboot(), settings(Presence::LogsHaveData)).await.unwrap().term(), Term(2));
    });
}

/// Half of a first start left a folder, but no vote: beside logs with data that is as good as nothing.
#[test]
fn a_founding_that_never_voted_is_no_past() {
    play(async || {
        let world = SimulatedWorld::new(4);
        world.disk.fault_next(Kind::WriteDurable, "journal", Fault::PowerOff);
        assert!(matches!(Node::boot(&world).await.err().unwrap(), OpenError::Failed(..)));
        world.disk.crash();
        let world = world.reboot();
        let beside_data = Node::boot_with(&world, settings(Presence::LogsHaveData)).await;
        let whole = beside_data.is_ok();
        if let Err(refused) = beside_data {
            assert!(matches!(refused, OpenError::LogsWithoutQuorum(_)), "{refused}");
        }
        let node = Node::boot(&world.reboot()).await.unwrap();
        assert_eq!(node.term(), if whole { Term(3) } else { Term(1) }, "the write may have landed before the cut");
    });
}

#[test]
fn a_folder_of_another_cluster_or_node_is_refused_untouched() {
    play(async || {
        let world = SimulatedWorld::new(5);
        let mine = Settings { cluster: Some("MkU3OEVBNTcwNTJENDM2Qg".to_owned()), ..settings(Presence::LogsEmpty) };
        drop(Node::boot_with(&world, mine.clone()).await.unwrap());
        world.disk.kill();
        let before = world.disk.digest();
        for foreign in [
            Settings { cluster: Some("AAAAAAAAAAAAAAAAAAAAAQ".to_owned()), ..mine.clone() },
            Settings { node: BrokerId(2), ..mine.clone() },
        ] {
            let refused = Node::boot_with(&world.reboot(), foreign).await.err().unwrap();
            assert!(matches!(refused, OpenError::Directory(DirectoryError::Foreign { .. })), "{refused}");
        }
        let unwritable = Settings { cluster: Some("two\nlines".to_owned()), ..mine };
        assert!(matches!(Node::boot_with(&world, unwritable).await.err().unwrap(), OpenError::BadClusterId(_)));
        assert_eq!(world.disk.digest(), before);
    });
}

/// A disk that belongs to a quorum of several is not a node alone, even if this node is one of them.
#[test]
fn a_member_of_a_larger_quorum_does_not_act_alone() {
    play(async || {
        let world = SimulatedWorld::new(6);
        let identity = Identity { cluster: "MkU3OEVBNTcwNTJENDM2Qg".to_owned(), node: BrokerId(1) };
        let (directory, opened, _) =
            LogDirectory::open(&world.world, Path::new(FOLDER), &identity, small_journal()).unwrap();
        let me = Voter { node: BrokerId(1), directory: directory.id() };
        let peer = Voter { node: BrokerId(2), directory: Uuid([2; 16]) };
        let (journal, task) = Journal::start(world.world.clone(), opened, Box::new(|_| {}));
        let mut room = journal.reserve(2, 200).unwrap();
        let items = [
            Item::Voters { since: Index(0), voters: [me, peer].into() },
            Item::Vote { term: Term(1), candidate: peer },
        ];
        for item in items {
            let (kind, head, body) = item.parts();
            journal.push(&mut room, Queued { kind, head, body, mark: () });
        }
        journal.stop();
        task.await.unwrap();
        drop(directory);
        let refused = Node::boot(&world.reboot()).await.err().unwrap();
        assert!(matches!(&refused, OpenError::NotAlone { voters, .. } if voters.len() == 2), "{refused}");
    });
}

/// The log is one file per process.
#[test]
fn a_second_process_is_kept_out_until_the_first_is_gone() {
    play(async || {
        let world = SimulatedWorld::new(7);
        let node = Node::boot(&world).await.unwrap();
        let refused = Node::boot(&world.reboot()).await.err().unwrap();
        assert!(matches!(refused, OpenError::Directory(DirectoryError::Locked(_))), "{refused}");
        node.log.stop().await;
        drop(node);
        Node::boot(&world.reboot()).await.unwrap();
    });
}

/// After a failed write nobody knows what is on the disk: no answer but Failed, and the process is told to exit. What was
/// acknowledged before is there at the next start.
#[test]
fn a_failed_write_ends_everything_and_loses_nothing() {
    play(async || {
        let world = SimulatedWorld::new(8);
        let node = Node::boot(&world).await.unwrap();
        node.log.propose(vec![payload(1, 0)]).await.unwrap();
        let failed = node.log.failed();
        world.disk.fault_next(Kind::WriteDurable, "journal", Fault::Io);
        let in_flight = node.log.propose(vec![payload(2, 0)]);
        let queued = node.log.propose(vec![payload(3, 0)]);
        assert_eq!((in_flight.await, queued.await), (Err(ProposeError::Failed), Err(ProposeError::Failed)));
        assert!(!failed.await.reason.is_empty());
        assert_eq!(node.log.propose(vec![payload(4, 0)]).await, Err(ProposeError::Failed));
        assert!(node.log.read_barrier().await.is_err());
        // What was committed before is still given out; then the reader hears of the failure.
        assert_eq!(node.log.committed().await.unwrap().len(), 1);
        assert!(node.log.committed().await.is_err());
        let position = Position::ZERO.then(Term(1), &payload(1, 0));
        assert_eq!(node.log.snapshot(position, payload(1, 0)).await, Err(SnapshotError::Failed));
        drop(node);
        world.disk.crash();
        let node = Node::boot(&world.reboot()).await.unwrap();
        assert!([&[1][..], &[1, 2], &[1, 2, 3]].contains(&&node.numbers[..]), "{:?}", node.numbers);
    });
}

/// A full queue slows the proposers down; it never grows without end, and reading makes room again.
#[test]
fn what_nobody_reads_is_bounded() {
    play(async || {
        let world = SimulatedWorld::new(9);
        let big = Settings { journal: Settings::journal_default(), ..settings(Presence::LogsEmpty) };
        let mut node = Node::boot_with(&world, big).await.unwrap();
        let max = node.log.payload_bytes_max();
        let large = Bytes::from(vec![0; max + 1]);
        assert_eq!(node.log.propose(vec![large]).await, Err(ProposeError::TooLarge { bytes: max + 1, max }));
        let mut accepted = 0;
        while node.log.propose(vec![payload(accepted, 1 << 20)]).await.is_ok() {
            accepted += 1;
        }
        assert_eq!(accepted, 15, "sixteen MiB, counting a little for each entry");
        assert_eq!(node.log.propose(vec![payload(0, 1 << 20)]).await, Err(ProposeError::Busy));
        node.hear().await;
        assert_eq!(node.log.propose(vec![payload(15, 1 << 20)]).await, Ok(Index(16)..Index(17)));
        assert_eq!(node.log.propose(Vec::new()).await, Ok(Index(17)..Index(17)));
    });
}

/// A journal that nobody shortens fills up and refuses; a snapshot frees it, as often as it takes.
#[test]
fn snapshots_let_a_small_journal_go_on_for_ever() {
    play(async || {
        let world = SimulatedWorld::new(10);
        let mut node = Node::boot(&world).await.unwrap();
        let mut proposed = 0;
        while node.log.propose(vec![payload(proposed, 3000)]).await.is_ok() {
            proposed += 1;
            node.hear().await;
        }
        assert!(node.log.snapshot_is_due());
        assert_eq!(node.log.propose(vec![payload(proposed, 3000)]).await, Err(ProposeError::Busy));
        let mut taken = 0;
        while proposed < 400 {
            if node.log.snapshot_is_due() {
                node.log.snapshot(node.at, node.image()).await.unwrap();
                taken += 1;
            }
            node.log.propose(vec![payload(proposed, 3000)]).await.unwrap();
            proposed += 1;
            node.hear().await;
        }
        assert!(taken >= 5, "{taken} snapshots");
        assert!(taken < 40, "{taken} snapshots of 400 entries: each has to free a good part of the journal");
        let newest = node.at;
        assert_eq!(snapshots(&world).len(), 2, "the newest two stay");
        world.disk.crash();
        drop(node);
        let node = Node::boot(&world.reboot()).await.unwrap();
        assert_eq!((node.numbers.clone(), node.at), ((0..400).collect(), newest));
        assert!(node.from_snapshot > 250, "{} from the snapshot", node.from_snapshot);
    });
}

/// The power goes off between a snapshot and the checkpoint, on a journal that is full: the next start moves the
/// checkpoint, or there would be no room for an entry and no new entry to make a snapshot due, for ever.
#[test]
fn a_checkpoint_that_was_missed_is_made_up_for() {
    play(async || {
        let world = SimulatedWorld::new(17);
        let mut node = Node::boot(&world).await.unwrap();
        let mut proposed = 0;
        while node.log.propose(vec![payload(proposed, 3000)]).await.is_ok() {
            proposed += 1;
            node.hear().await;
        }
        world.disk.fault_next(Kind::WriteDurable, "journal", Fault::PowerOff);
        assert_eq!(node.log.snapshot(node.at, node.image()).await, Err(SnapshotError::Failed));
        drop(node);
        world.disk.crash();
        let node = Node::boot(&world.reboot()).await.unwrap();
        assert_eq!((node.numbers.len(), node.from_snapshot), (proposed as usize, proposed as usize));
        node.log.propose(vec![payload(proposed, 3000)]).await.unwrap();
    });
}

/// No space for a snapshot is no failure: the log goes on, and the next try may find some. A failed sync is final.
#[test]
fn a_full_disk_waits_and_a_failed_sync_does_not() {
    play(async || {
        let world = SimulatedWorld::new(11);
        let mut node = Node::boot(&world).await.unwrap();
        node.log.propose(vec![payload(1, 0)]).await.unwrap();
        node.hear().await;
        world.disk.fault_next(Kind::Write, ".snapshot", Fault::NoSpace);
        assert_eq!(node.log.snapshot(node.at, node.image()).await, Err(SnapshotError::NoSpace));
        node.log.propose(vec![payload(2, 0)]).await.unwrap();
        node.hear().await;
        node.log.snapshot(node.at, node.image()).await.unwrap();
        assert_eq!(snapshots(&world).len(), 1);
        // The same again is passed over.
        node.log.snapshot(node.at, node.image()).await.unwrap();
        node.log.propose(vec![payload(3, 0)]).await.unwrap();
        node.hear().await;
        world.disk.fault_next(Kind::Sync, ".snapshot", Fault::Io);
        assert_eq!(node.log.snapshot(node.at, node.image()).await, Err(SnapshotError::Failed));
        assert_eq!(node.log.propose(vec![payload(4, 0)]).await, Err(ProposeError::Failed));
        node.log.failed().await;
        drop(node);
        world.disk.crash();
        assert_eq!(Node::boot(&world.reboot()).await.unwrap().numbers, [1, 2, 3]);
    });
}

/// Damage is named, never cut off: a committed entry that can't be read any more must not vanish silently.
#[test]
fn a_damaged_frame_in_the_middle_is_suspect() {
    play(async || {
        let world = SimulatedWorld::new(12);
        let mut node = Node::boot(&world).await.unwrap();
        for number in 0..5 {
            node.log.propose(vec![payload(number, 0)]).await.unwrap();
            node.hear().await;
        }
        node.log.stop().await;
        drop(node);
        // Block 0 is the file's header, block 1 the founding frame.
        world.disk.patch(&journal_file(0), 3 * 4096 + 90, &[0xff; 4]).unwrap();
        let before = world.disk.digest();
        let refused = Node::boot(&world.reboot()).await.err().unwrap();
        assert!(refused.to_string().contains("frame"), "{refused}");
        assert_eq!(world.disk.digest(), before, "nothing is touched");
    });
}

/// The journal below a snapshot is gone, so a damaged snapshot is a hole, and the older one beside it doesn't fill it.
#[test]
fn a_damaged_snapshot_is_suspect_unless_the_journal_still_reaches_back() {
    play(async || {
        let world = SimulatedWorld::new(13);
        let mut node = Node::boot(&world).await.unwrap();
        for number in 0..4 {
            node.log.propose(vec![payload(number, 0)]).await.unwrap();
            node.hear().await;
            if number % 2 == 1 {
                node.log.snapshot(node.at, node.image()).await.unwrap();
            }
        }
        node.log.stop().await;
        drop(node);
        let newest = snapshots(&world).pop().unwrap();
        assert!(newest.ends_with("00000000000000000004-0000000001.snapshot"), "{}", newest.display());
        world.disk.patch(&newest, 60, &[0xff; 4]).unwrap();
        let refused = Node::boot(&world.reboot()).await.err().unwrap();
        assert!(matches!(refused, OpenError::Suspect(..)) && refused.to_string().contains("checksum"), "{refused}");
    });
    play(async || {
        // Here the cut comes between the snapshot and the checkpoint: nothing is lost, so nothing is refused.
        let world = SimulatedWorld::new(14);
        let mut node = Node::boot(&world).await.unwrap();
        node.log.propose(vec![payload(1, 0), payload(2, 0)]).await.unwrap();
        node.hear().await;
        world.disk.fault_next(Kind::SyncDir, "quorum", Fault::PowerOff);
        assert!(node.log.snapshot(node.at, node.image()).await.is_err());
        drop(node);
        world.disk.kill();
        world.disk.crash();
        for path in snapshots(&world) {
            world.disk.patch(&path, 60, &[0xff; 4]).unwrap();
        }
        assert_eq!(Node::boot(&world.reboot()).await.unwrap().numbers, [1, 2]);
    });
}

/// A second reader would steal entries from the first; one that gives up waiting takes nothing with it.
#[test]
fn a_reader_that_stops_waiting_loses_nothing() {
    play(async || {
        let world = SimulatedWorld::new(15);
        let log = LocalMetaLog::open(world.world.clone(), settings(Presence::LogsEmpty)).await.unwrap();
        let mut impatient = log.committed();
        assert!(
            std::future::poll_fn(|context| std::task::Poll::Ready(impatient.as_mut().poll(context))).await.is_pending()
        );
        drop(impatient);
        log.propose(vec![payload(1, 0)]).await.unwrap();
        let given = log.committed().await.unwrap();
        assert!(matches!(&given[..], [Committed::Entry(entry)] if number(&entry.payload) == 1));
    });
}

#[test]
fn what_is_not_the_quorums_is_left_alone() {
    play(async || {
        let world = SimulatedWorld::new(16);
        world.disk.install(&PathBuf::from(FOLDER).join("holiday.jpg"), b"sea").unwrap();
        let refused = Node::boot(&world).await.err().unwrap();
        assert!(matches!(refused, OpenError::Directory(DirectoryError::Unnamed(_))), "{refused}");
        assert!(world.disk.list(Path::new(FOLDER)).unwrap().len() <= 2, "the picture and the lock");
    });
}
