//! A record as a line says it.

use thalweg_client::Record;
use thalweg_wire::Timestamp;

use super::json;

/// What a line says of a record.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Said {
    pub(super) key: Option<Vec<u8>>,
    /// Without one it takes back what was said of its key before.
    pub(super) value: Option<Vec<u8>>,
    pub(super) headers: Vec<(String, Option<Vec<u8>>)>,
    pub(super) partition: Option<i32>,
    pub(super) timestamp: Option<Timestamp>,
}

impl Said {
    /// Bytes of its key and its value.
    pub(super) fn bytes(&self) -> u64 {
        let length = |field: &Option<Vec<u8>>| field.as_ref().map_or(0, Vec::len) as u64;
        length(&self.key) + length(&self.value)
    }

    /// As it is sent.
    pub(super) fn record<'a>(&'a self, topic: &'a str, to: &'a To) -> Record<'a> {
        let mut record = Record::to(topic);
        if let Some(key) = &self.key {
            record = record.key(key);
        }
        if let Some(value) = &self.value {
            record = record.value(value);
        }
        for (name, value) in to.headers.iter().map(|(name, value)| (name, Some(value))) {
            record = header(record, name, value);
        }
        for (name, value) in &self.headers {
            record = header(record, name, value.as_ref());
        }
        if let Some(partition) = self.partition.or(to.partition) {
            record = record.partition(partition);
        }
        match self.timestamp {
            Some(timestamp) => record.timestamp(timestamp),
            None => record,
        }
    }
}

fn header<'a>(record: Record<'a>, name: &'a str, value: Option<&'a Vec<u8>>) -> Record<'a> {
    match value {
        Some(value) => record.header(name, value),
        None => record.header_without_value(name),
    }
}

/// What all records have in common; where one says of itself which partition it is for, that holds.
#[derive(Clone, Default, Debug)]
pub(super) struct To {
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) partition: Option<i32>,
}

/// How lines are to be read.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// A line is a value, or a key and a value with this between them. What is this word is none.
    Line { separator: Option<Vec<u8>>, null: Option<Vec<u8>> },
    /// A line is an object.
    Json,
}

impl Form {
    /// Reads a line; `None` where it says nothing.
    ///
    /// # Errors
    /// What is wrong with it, and what to do about it.
    pub(super) fn read(&self, line: Vec<u8>) -> Result<Option<Said>, Wrong> {
        match self {
            Form::Json if line.iter().all(u8::is_ascii_whitespace) => Ok(None),
            Form::Json => json::read(&line).map(Some),
            Form::Line { separator, null } => {
                let or_none = |field: Vec<u8>| Some(field).filter(|field| Some(field) != null.as_ref());
                let Some(separator) = separator else {
                    return Ok(Some(Said { value: or_none(line), ..Said::default() }));
                };
                let at = line.windows(separator.len()).position(|part| part == separator).ok_or_else(|| Wrong {
                    what: format!("there is no {:?} between a key and a value", String::from_utf8_lossy(separator)),
                    next: "--key-separator says what stands between them; without it a line is a value".to_owned(),
                })?;
                let value = line[at + separator.len()..].to_vec();
                let mut key = line;
                key.truncate(at);
                Ok(Some(Said { key: or_none(key), value: or_none(value), ..Said::default() }))
            }
        }
    }
}

/// Why a line is no record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Wrong {
    pub(super) what: String,
    pub(super) next: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        line: &str,
        separator: Option<&str>,
        null: Option<&str>,
    ) -> Result<(Option<String>, Option<String>), Wrong> {
        let bytes = |text: Option<&str>| text.map(|text| text.as_bytes().to_vec());
        let form = Form::Line { separator: bytes(separator), null: bytes(null) };
        let text = |field: Option<Vec<u8>>| field.map(|field| String::from_utf8(field).unwrap());
        form.read(line.as_bytes().to_vec()).map(|said| said.unwrap()).map(|said| (text(said.key), text(said.value)))
    }

    fn pair(key: Option<&str>, value: Option<&str>) -> Result<(Option<String>, Option<String>), Wrong> {
        Ok((key.map(str::to_owned), value.map(str::to_owned)))
    }

    #[test]
    fn a_line_is_a_value_and_an_empty_one_is_an_empty_value() {
        assert_eq!(read("a:b", None, None), pair(None, Some("a:b")));
        assert_eq!(read("", None, None), pair(None, Some("")));
        assert_eq!(read("NULL", None, Some("NULL")), pair(None, None));
    }

    #[test]
    fn the_first_separator_counts() {
        assert_eq!(read("a::b::c", Some("::"), None), pair(Some("a"), Some("b::c")));
        assert_eq!(read(":b", Some(":"), None), pair(Some(""), Some("b")));
        assert_eq!(read("a:", Some(":"), Some("")), pair(Some("a"), None));
        assert_eq!(read("a:-", Some(":"), Some("-")), pair(Some("a"), None));
        let wrong = read("a b", Some(":"), None).unwrap_err();
        assert!(wrong.what.contains("\":\"") && wrong.next.contains("--key-separator"), "{wrong:?}");
    }

    #[test]
    fn what_a_record_says_of_itself_holds() {
        let to = To { headers: vec![("a".to_owned(), b"1".to_vec())], partition: Some(1) };
        let said = Said { partition: Some(2), headers: vec![("b".to_owned(), None)], ..Said::default() };
        let wanted = Record::to("t").header("a", b"1").header_without_value("b");
        assert_eq!(format!("{:?}", said.record("t", &to)), format!("{:?}", wanted.clone().partition(2)));
        let said = Said { partition: None, ..said };
        assert_eq!(format!("{:?}", said.record("t", &to)), format!("{:?}", wanted.partition(1)));
    }

    #[test]
    fn a_blank_line_of_json_says_nothing() {
        assert_eq!(Form::Json.read(b" \r".to_vec()), Ok(None));
    }
}
