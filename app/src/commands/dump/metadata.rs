//! What the metadata log says: the changes of an entry, and a snapshot of all of it.

use bytes::Bytes;
use serde::Serialize;
use thalweg_coordinators::cluster::records::{self, Record};
use thalweg_quorum::snapshot::{SNAPSHOT_BYTES_MAX, Stored};

use super::page::{Line, Page};
use super::{Depth, Source};
use crate::failure::Failure;
use crate::output::printable;

#[derive(Serialize)]
struct Change {
    says: String,
}

impl Line for Change {
    const TYPE: &'static str = "change";

    fn text(&self) -> String {
        format!("{:12}{}", "", printable(&self.says))
    }
}

#[derive(Serialize)]
struct SnapshotLine {
    index: u64,
    term: u64,
    hash: String,
    voters: Vec<String>,
    voters_since: u64,
    image_bytes: usize,
}

impl Line for SnapshotLine {
    const TYPE: &'static str = "metadata_snapshot";

    fn text(&self) -> String {
        let SnapshotLine { index, term, hash, voters, voters_since, image_bytes } = self;
        let voters = voters.join(", ");
        format!(
            "the metadata at index {index} of term {term}, hash {hash}, {image_bytes} bytes; voters since index {voters_since}: {voters}"
        )
    }
}

/// Shows what an entry changes, or what an image is made of.
pub(super) fn changes(source: &Source<'_>, payload: &Bytes, page: &mut Page) -> Result<(), Failure> {
    for record in records::decode(payload) {
        let says = match record.map_err(|malformed| source.damaged(&malformed.to_string()))? {
            Record::Known(record) => format!("{record:?}"),
            Record::Unknown(frame) => format!("a record of {} bytes from which nothing follows here", frame.len()),
        };
        page.line(&Change { says })?;
    }
    Ok(())
}

/// Shows a snapshot.
pub(super) fn snapshot(source: &Source<'_>, page: &mut Page) -> Result<(), Failure> {
    let bytes = source.whole(SNAPSHOT_BYTES_MAX)?;
    let Stored { snapshot, voters, voters_since } =
        Stored::parse(Bytes::from(bytes)).map_err(|reason| source.damaged(reason))?;
    page.line(&SnapshotLine {
        index: snapshot.at.index.0,
        term: snapshot.at.term.0,
        hash: snapshot.at.hash.to_string(),
        voters: voters.iter().map(ToString::to_string).collect(),
        voters_since: voters_since.0,
        image_bytes: snapshot.image.len(),
    })?;
    if source.depth == Depth::Outline { Ok(()) } else { changes(source, &snapshot.image, page) }
}
