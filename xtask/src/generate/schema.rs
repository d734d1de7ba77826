//! What a schema file says: messages, their fields, and the versions in which each field exists.
//!
//! `messages/schema/README.md` describes the language. A file becomes a [`Schema`], or a complaint with its line.

use std::fmt;

/// An inclusive range of versions; `last` is [`Versions::OPEN`] for "and all later ones".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Versions {
    pub first: i16,
    pub last: i16,
}

impl Versions {
    const OPEN: i16 = i16::MAX;
    pub(super) const ALL: Versions = Versions { first: 0, last: Versions::OPEN };
    pub(super) const NONE: Versions = Versions { first: 1, last: 0 };

    pub(super) fn contains(self, version: i16) -> bool {
        (self.first..=self.last).contains(&version)
    }

    pub(super) fn is_empty(self) -> bool {
        self.first > self.last
    }

    pub(super) fn and(self, other: Versions) -> Versions {
        Versions { first: self.first.max(other.first), last: self.last.min(other.last) }
    }

    /// The smallest range that covers both.
    pub(super) fn hull(self, other: Versions) -> Versions {
        if self.is_empty() {
            return other;
        }
        Versions { first: self.first.min(other.first), last: self.last.max(other.last) }
    }

    /// `N`, `N-M` or `N+`.
    pub(super) fn parse(text: &str) -> Option<Versions> {
        if let Some(first) = text.strip_suffix('+') {
            return Some(Versions { first: first.parse().ok()?, last: Versions::OPEN });
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let versions = Versions { first: first.parse().ok()?, last: last.parse().ok()? };
        (!versions.is_empty()).then_some(versions)
    }
}

/// What a message is for, which decides the traits that it gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Request(i16),
    Response(i16),
    /// A stored record with its type, of the metadata log.
    Record(i16),
    /// What a record of a coordinator's log is about, with its type.
    Key(i16),
    /// What such a record says.
    Value(i16),
    /// Anything else that has versions: headers, bodies of control records.
    Data,
}

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub name: String,
    pub kind: Kind,
    pub versions: Versions,
    /// The versions with compact lengths and tags, within `versions`.
    pub flexible: Versions,
    pub fields: Vec<Field>,
    /// The structs inside, in the order of their first use.
    pub structs: Vec<Struct>,
}

#[derive(Clone, Debug)]
pub(super) struct Struct {
    pub name: String,
    pub doc: String,
    pub fields: Vec<Field>,
    /// All versions in which something of this type may be on the wire.
    pub versions: Versions,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Type {
    Bool,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint16,
    Uint32,
    Float64,
    Uuid,
    String,
    Bytes,
    /// A newtype of `wire` around a number.
    Id {
        name: &'static str,
        of: Box<Type>,
    },
    Struct(String),
    Array(Box<Type>),
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub name: String,
    pub kind: Type,
    pub versions: Versions,
    /// The versions in which it may be null; when there are any, the field is an `Option`.
    pub nullable: Versions,
    pub tag: Option<u32>,
    /// As written after `=`.
    pub default: Option<String>,
    /// Dropped without an error at versions that lack it.
    pub ignorable: bool,
    /// Keeps classic lengths in flexible versions.
    pub classic: bool,
    pub doc: String,
}

/// One schema file.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    /// The prose on top.
    pub about: Vec<String>,
    /// What each version changed.
    pub notes: Vec<(i16, String)>,
    pub messages: Vec<Message>,
}

/// A file that can't be understood: where, and why.
#[derive(Debug)]
pub(super) struct Complaint {
    pub line: usize,
    pub what: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.what)
    }
}

/// One line without its comment.
struct Line<'a> {
    number: usize,
    indent: usize,
    words: Vec<&'a str>,
    comment: String,
}

impl Line<'_> {
    fn complain<T>(&self, what: impl Into<String>) -> Result<T, Complaint> {
        Err(Complaint { line: self.number, what: what.into() })
    }
}

impl Schema {
    pub(super) fn parse(text: &str) -> Result<Schema, Complaint> {
        let lines = split(text)?;
        let mut about = Vec::new();
        let mut rest = lines.as_slice();
        while let Some((line, after)) = rest.split_first()
            && line.words.is_empty()
        {
            about.push(line.comment.clone());
            rest = after;
        }
        let Some((head, mut rest)) = rest.split_first() else {
            return Err(Complaint { line: 1, what: "no message in this file".to_owned() });
        };
        let head_of = Head::parse(head)?;

        let mut notes: Vec<(i16, String)> = Vec::new();
        while let Some((line, after)) = rest.split_first()
            && line.indent > 0
        {
            let (version, words) = line.words.split_first().expect("an indented line has words");
            if let Some(version) = version.strip_prefix('v').and_then(|version| version.parse().ok()) {
                notes.push((version, words.join(" ")));
            } else if let Some((_, note)) = notes.last_mut() {
                note.push(' ');
                note.push_str(&line.words.join(" "));
            } else {
                return line.complain("expected a version's note, such as `v1  What it changed.`");
            }
            rest = after;
        }
        for version in head_of.versions.first + 1..=head_of.versions.last {
            if !notes.iter().any(|(noted, _)| *noted == version) {
                return head.complain(format!("no note says what v{version} changed"));
            }
        }

        let mut messages = Vec::new();
        let parts = match head_of.kind {
            HeadKind::Api(key) => {
                Some([("request", "Request", Kind::Request(key)), ("response", "Response", Kind::Response(key))])
            }
            HeadKind::Entry(kind) => Some([("key", "Key", Kind::Key(kind)), ("value", "Value", Kind::Value(kind))]),
            HeadKind::Record(_) | HeadKind::Data => None,
        };
        if let Some(parts) = parts {
            for (word, suffix, kind) in parts {
                let Some((line, after)) = rest.split_first() else {
                    return head.complain(format!("no {word}"));
                };
                if line.indent != 0 || line.words != [word] {
                    return line.complain(format!("expected `{word}`"));
                }
                let end = after.iter().position(|line| line.indent == 0).unwrap_or(after.len());
                messages.push(head_of.message(format!("{}{suffix}", head_of.name), kind, &after[..end])?);
                rest = &after[end..];
            }
        } else {
            let kind = if let HeadKind::Record(kind) = head_of.kind { Kind::Record(kind) } else { Kind::Data };
            let fields = match rest.split_first() {
                Some((line, after)) if line.words == ["fields"] => after,
                Some((line, _)) => return line.complain("expected `fields`"),
                None => &[],
            };
            messages.push(head_of.message(head_of.name.clone(), kind, fields)?);
            rest = &[];
        }
        if let Some(line) = rest.first() {
            return line.complain("nothing may follow");
        }
        let mut names: Vec<&str> = messages.iter().flat_map(Message::names).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return head.complain(format!("two structs are named {}", twice[0]));
        }
        Ok(Schema { about, notes, messages })
    }
}

enum HeadKind {
    Api(i16),
    Record(i16),
    Entry(i16),
    Data,
}

/// `api KEY Name VERSIONS [flexible VERSIONS]`, `record TYPE Name ..`, `entry TYPE Name ..` or `data Name ..`.
struct Head {
    kind: HeadKind,
    name: String,
    versions: Versions,
    flexible: Versions,
}

impl Head {
    fn parse(line: &Line<'_>) -> Result<Head, Complaint> {
        const SHAPE: &str =
            "expected `api KEY Name VERSIONS [flexible VERSIONS]`, or `record`, `entry` or `data` for `api`";
        let (kind, rest) = match line.words.as_slice() {
            ["api", key, rest @ ..] => (key.parse().ok().map(HeadKind::Api), rest),
            ["record", kind, rest @ ..] => (kind.parse().ok().map(HeadKind::Record), rest),
            ["entry", kind, rest @ ..] => (kind.parse().ok().map(HeadKind::Entry), rest),
            ["data", rest @ ..] => (Some(HeadKind::Data), rest),
            _ => return line.complain(SHAPE),
        };
        let (name, versions, flexible) = match rest {
            [name, versions] => (name, Versions::parse(versions), Some(Versions::NONE)),
            [name, versions, "flexible", flexible] => (name, Versions::parse(versions), Versions::parse(flexible)),
            _ => return line.complain(SHAPE),
        };
        let (Some(kind), Some(versions), Some(flexible)) = (kind, versions, flexible) else {
            return line.complain(SHAPE);
        };
        if versions.last == Versions::OPEN || line.indent != 0 {
            return line.complain(SHAPE);
        }
        if !flexible.is_empty() && flexible.last < versions.last {
            return line.complain("once flexible, a message stays flexible");
        }
        Ok(Head { kind, name: (*name).to_owned(), versions, flexible: flexible.and(versions) })
    }

    fn message(&self, name: String, kind: Kind, lines: &[Line<'_>]) -> Result<Message, Complaint> {
        // A key is compared byte by byte: it has one version for ever.
        let (versions, flexible) = match kind {
            Kind::Key(_) => (Versions { first: 0, last: 0 }, Versions::NONE),
            _ => (self.versions, self.flexible),
        };
        let mut message = Message { name, kind, versions, flexible, fields: Vec::new(), structs: Vec::new() };
        let owner = message.name.clone();
        let mut fields = lines;
        message.fields = message.block(&mut fields, 2, &owner)?;
        if let Some(line) = fields.first() {
            return line.complain("indentation goes in steps of two below the field that it belongs to");
        }
        message.spread_versions();
        Ok(message)
    }
}

impl Message {
    /// The fields at `indent`, each with the struct that may be written below it.
    fn block(&mut self, lines: &mut &[Line<'_>], indent: usize, owner: &str) -> Result<Vec<Field>, Complaint> {
        let mut fields: Vec<Field> = Vec::new();
        while let Some((line, after)) = lines.split_first()
            && line.indent == indent
        {
            *lines = after;
            let field = self.field(line)?;
            if fields.iter().any(|other| other.name == field.name) {
                return line.complain(format!("a second field named {}", field.name));
            }
            if let Some(name) = field.kind.struct_name() {
                let defined = self.structs.iter().any(|known| known.name == name);
                // Its name is taken before its fields are read: while it has none, we are inside of it.
                if self.structs.iter().any(|known| known.name == name && known.fields.is_empty()) {
                    return line.complain(format!("{name} contains itself"));
                }
                let nested = lines.first().is_some_and(|line| line.indent == indent + 2);
                match (defined, nested) {
                    (true, true) => return line.complain(format!("{name} is described twice")),
                    (false, false) => return line.complain(format!("nothing says what is in {name}")),
                    (true, false) => {}
                    (false, true) => {
                        let place = self.structs.len();
                        let doc = format!("Of [`{owner}::{}`].", field.name);
                        self.structs.push(Struct {
                            name: name.to_owned(),
                            doc,
                            fields: Vec::new(),
                            versions: Versions::NONE,
                        });
                        let inner = self.block(lines, indent + 2, name)?;
                        self.structs[place].fields = inner;
                    }
                }
            }
            fields.push(field);
        }
        Ok(fields)
    }

    fn field(&self, line: &Line<'_>) -> Result<Field, Complaint> {
        let [name, kind, attributes @ ..] = line.words.as_slice() else {
            return line.complain("expected `name type ..`");
        };
        if !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
            return line.complain(format!("{name} is not a field's name: use snake_case"));
        }
        let (kind, nullable) = match kind.split_once('?') {
            None => (*kind, Versions::NONE),
            Some((kind, "")) => (kind, Versions::ALL),
            Some((kind, versions)) => match Versions::parse(versions) {
                Some(versions) => (kind, versions),
                None => return line.complain(format!("{versions} is not a range of versions")),
            },
        };
        let Some(kind) = Type::parse(kind) else { return line.complain(format!("{kind} is not a type")) };
        let mut field = Field {
            name: (*name).to_owned(),
            kind,
            versions: Versions::ALL,
            nullable,
            tag: None,
            default: None,
            ignorable: false,
            classic: false,
            doc: line.comment.clone(),
        };
        let mut attributes = attributes.iter();
        while let Some(attribute) = attributes.next() {
            let mut value = || attributes.next().copied().unwrap_or_default();
            match *attribute {
                "ignorable" => field.ignorable = true,
                "classic" => field.classic = true,
                // Says which field identifies an element of its array. The bytes don't show it.
                "key" => {}
                "=" => field.default = Some(value().to_owned()),
                "tag" => match value().parse() {
                    Ok(tag) => field.tag = Some(tag),
                    Err(_) => return line.complain("expected a number after `tag`"),
                },
                other => match Versions::parse(other) {
                    Some(versions) => field.versions = versions,
                    None => return line.complain(format!("{other} means nothing here")),
                },
            }
        }
        if !field.nullable.is_empty()
            && !matches!(field.kind, Type::String | Type::Bytes | Type::Array(_) | Type::Struct(_))
        {
            return line.complain("only strings, bytes, arrays and structs can be null");
        }
        if field.default.as_deref() == Some("null") && field.nullable.is_empty() {
            return line.complain("null is its default, but no version allows null");
        }
        if field.tag.is_some() && !self.flexible.contains(field.versions.and(self.versions).first) {
            return line.complain("a tag in a version that isn't flexible");
        }
        Ok(field)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.structs.iter().map(|inner| inner.name.as_str()).chain([self.name.as_str()])
    }

    pub(super) fn find(&self, name: &str) -> &Struct {
        self.structs.iter().find(|known| known.name == name).expect("the parser saw its description")
    }

    /// Tells every struct and field in which versions it can be met at all, so that no generated check is idle.
    fn spread_versions(&mut self) {
        let mut fields = std::mem::take(&mut self.fields);
        self.narrow(&mut fields, self.versions);
        self.fields = fields;
        // A struct's range is complete only now: it may be used in several places.
        for place in 0..self.structs.len() {
            let mut fields = std::mem::take(&mut self.structs[place].fields);
            let within = self.structs[place].versions;
            for field in &mut fields {
                field.versions = field.versions.and(within);
                field.nullable = field.nullable.and(field.versions);
            }
            self.structs[place].fields = fields;
        }
    }

    fn narrow(&mut self, fields: &mut [Field], within: Versions) {
        for field in fields {
            let versions = field.versions.and(within);
            if let Some(name) = field.kind.struct_name() {
                let place = self.structs.iter().position(|known| known.name == name).expect("described");
                self.structs[place].versions = self.structs[place].versions.hull(versions);
                let mut inner = self.structs[place].fields.clone();
                self.narrow(&mut inner, versions);
            }
            field.versions = versions;
            field.nullable = field.nullable.and(versions);
        }
    }
}

impl Field {
    /// Its name in Rust: Kafka has fields named `type`.
    pub(super) fn ident(&self) -> String {
        const RESERVED: [&str; 8] = ["type", "match", "move", "ref", "use", "where", "loop", "static"];
        if RESERVED.contains(&self.name.as_str()) { format!("r#{}", self.name) } else { self.name.clone() }
    }
}

impl Type {
    fn parse(text: &str) -> Option<Type> {
        if let Some(element) = text.strip_prefix("[]") {
            let element = Type::parse(element)?;
            return (!matches!(element, Type::Array(_))).then(|| Type::Array(Box::new(element)));
        }
        let id = |name, of| Type::Id { name, of: Box::new(of) };
        Some(match text {
            "bool" => Type::Bool,
            "int8" => Type::Int8,
            "int16" | "error_code" => Type::Int16,
            "int32" => Type::Int32,
            "int64" => Type::Int64,
            "uint16" => Type::Uint16,
            "uint32" => Type::Uint32,
            "float64" => Type::Float64,
            "uuid" | "topic_id" => Type::Uuid,
            "string" | "topic_name" | "group_id" | "transactional_id" => Type::String,
            "bytes" | "records" => Type::Bytes,
            "broker_id" => id("BrokerId", Type::Int32),
            "partition" => id("PartitionIndex", Type::Int32),
            "leader_epoch" => id("LeaderEpoch", Type::Int32),
            "offset" => id("Offset", Type::Int64),
            "producer_id" => id("ProducerId", Type::Int64),
            "producer_epoch" => id("ProducerEpoch", Type::Int16),
            name if name.starts_with(|c: char| c.is_ascii_uppercase()) => Type::Struct(name.to_owned()),
            _ => return None,
        })
    }

    pub(super) fn struct_name(&self) -> Option<&str> {
        match self {
            Type::Struct(name) => Some(name),
            Type::Array(element) => element.struct_name(),
            _ => None,
        }
    }
}

/// Cuts a file into lines that say something. Comments below a field, deeper than it, go on with the field's own.
fn split(text: &str) -> Result<Vec<Line<'_>>, Complaint> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for (number, text) in (1..).zip(text.lines()) {
        let (code, comment) = text.split_once('#').unwrap_or((text, ""));
        let line = Line {
            number,
            indent: text.len() - text.trim_start().len(),
            words: code.split_whitespace().collect(),
            comment: comment.trim().to_owned(),
        };
        if text.contains('\t') {
            return line.complain("a tab: indentation is made of spaces");
        }
        if !line.words.is_empty() || (line.indent == 0 && text.starts_with('#')) {
            lines.push(line);
        } else if let Some(last) = lines.last_mut()
            && !line.comment.is_empty()
        {
            last.comment.push(' ');
            last.comment.push_str(&line.comment);
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOOR: &str = "\
# Door: opens.
#
# Twice.

api 7 Door 1-3 flexible 3+
  v2   Doors have hinges,
       at last.
  v3   Flexible.

request
  name string?2+ = null       # Which one.
                              # Null: all.
  hinges []Hinge 2+ ignorable
    side int8 key
    oil  offset 3+ tag 0 = -1
response
  error error_code
";

    #[test]
    fn a_file_reads_as_what_it_says() {
        let schema = Schema::parse(DOOR).unwrap();
        assert_eq!(schema.about, ["Door: opens.", "", "Twice."]);
        assert_eq!(schema.notes[0], (2, "Doors have hinges, at last.".to_owned()));
        let request = &schema.messages[0];
        assert_eq!((request.name.as_str(), request.kind), ("DoorRequest", Kind::Request(7)));
        assert_eq!(request.fields[0].doc, "Which one. Null: all.");
        assert_eq!(request.fields[0].nullable, Versions { first: 2, last: 3 });
        let hinge = request.find("Hinge");
        assert_eq!(hinge.versions, Versions { first: 2, last: 3 });
        assert_eq!((hinge.fields[1].tag, hinge.fields[1].versions.first), (Some(0), 3));
    }

    // Logs are compacted by the bytes of their keys. Were a key to change its version, the log would hold both.
    #[test]
    fn the_key_of_an_entry_has_one_version_and_its_value_all() {
        let text =
            "# Lock: shut.\n\nentry 5 Lock 0-1 flexible 1+\n  v1  Flexible.\nkey\n  door string\nvalue\n  turns int8\n";
        let schema = Schema::parse(text).unwrap();
        let [key, value] = schema.messages.as_slice() else { panic!("{schema:?}") };
        assert_eq!((key.name.as_str(), key.kind, key.versions.last), ("LockKey", Kind::Key(5), 0));
        assert!(key.flexible.is_empty());
        assert_eq!((value.name.as_str(), value.kind, value.versions.last), ("LockValue", Kind::Value(5), 1));
        assert!(value.flexible.contains(1));
    }

    // A mistake in a schema is met by its author, not by a client.
    #[test]
    fn what_makes_no_sense_is_refused_with_its_line() {
        for (from, to, line, complaint) in [
            ("side int8 key", "side []Hinge", 14, "contains itself"),
            ("error error_code", "error Hinge\n    code int8", 5, "two structs"),
            ("error_code", "integer", 16, "not a type"),
            ("  v3   Flexible.\n", "", 5, "v3"),
            ("oil  offset 3+", "oil  offset 2+", 14, "isn't flexible"),
            ("    side int8 key\n    oil  offset 3+ tag 0 = -1\n", "", 13, "nothing says"),
            ("side int8 key", "oil int8", 15, "second field"),
            ("string?2+", "string", 11, "null"),
            ("    side", "      side", 13, "nothing says"),
            ("ignorable", "ignorible", 13, "means nothing"),
            ("response\n", "", 5, "no response"),
        ] {
            let text = DOOR.replacen(from, to, 1);
            let refused = Schema::parse(&text).map(|_| ()).unwrap_err();
            assert!(refused.what.contains(complaint), "{from} → {to}: {refused}");
            assert!(refused.line.abs_diff(line) <= 1, "{from} → {to}: {refused}");
        }
    }
}
