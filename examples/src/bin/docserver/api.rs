//! The JSON bodies of responses.

use serde::Serialize;

/// A document in a page of the list.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) len: u64,
    pub(crate) sha256: String,
    /// Milliseconds since the Unix epoch.
    pub(crate) modified: u64,
}

/// `GET /docs`: a page of the list, sorted by name.
#[derive(Debug, Serialize)]
pub(crate) struct List {
    pub(crate) docs: Vec<Document>,
    /// The value of `after` that gets the next page; `None` on the last page.
    pub(crate) next: Option<String>,
}

/// `GET /search`: the best hits first.
#[derive(Debug, Serialize)]
pub(crate) struct Search {
    pub(crate) hits: Vec<Hit>,
}

/// A document that matches the search.
#[derive(Debug, Serialize)]
pub(crate) struct Hit {
    pub(crate) name: String,
    pub(crate) len: u64,
    /// A part of its text around the first match; empty if it has no text.
    pub(crate) snippet: Vec<Segment>,
}

/// A run of a snippet. It is plain text, not HTML, so that nothing in it needs escaping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Segment {
    pub(crate) text: String,
    /// Whether the text matches the search.
    pub(crate) mark: bool,
}

/// `PUT /docs/{name}`.
#[derive(Debug, Serialize)]
pub(crate) struct Put {
    #[serde(flatten)]
    pub(crate) document: Document,
    /// Whether the document replaced one of the same name.
    pub(crate) replaced: bool,
}

/// `GET /events`: a change of a document.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(crate) enum Event {
    Filed {
        #[serde(flatten)]
        document: Document,
        replaced: bool,
    },
    Deleted {
        name: String,
    },
}

/// The reason why the server refused a request.
#[derive(Debug, Serialize)]
pub(crate) struct Error<'a> {
    pub(crate) status: u16,
    pub(crate) error: &'a str,
}

impl Event {
    /// The event as a server-sent event. It fits on one line because JSON escapes line ends.
    pub(crate) fn message(&self) -> String {
        let json = String::from_utf8_lossy(&json(self)).into_owned();
        format!("data: {json}\n\n")
    }
}

macro_rules! to_json {
    ($($type:ty)*) => { $(
        impl $type {
            pub(crate) fn to_json(&self) -> Vec<u8> {
                json(self)
            }
        }
    )* };
}
to_json! { List Search Put Error<'_> }

/// Serializes a value. It cannot fail because these types have no map with keys other than text.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        Document { name: "a\"\n".into(), len: 3, sha256: "5ha2".into(), modified: 17 }
    }

    #[test]
    fn shapes() {
        let doc = r#"{"name":"a\"\n","len":3,"sha256":"5ha2","modified":17"#;
        let text = |json: Vec<u8>| String::from_utf8(json).unwrap();
        let list = List { docs: vec![document()], next: None };
        assert_eq!(text(list.to_json()), format!(r#"{{"docs":[{doc}}}],"next":null}}"#));
        let put = Put { document: document(), replaced: true };
        assert_eq!(text(put.to_json()), format!(r#"{doc},"replaced":true}}"#));
        let snippet = vec![Segment { text: "hit".into(), mark: true }];
        let search = Search { hits: vec![Hit { name: "a".into(), len: 3, snippet }] };
        let json = r#"{"hits":[{"name":"a","len":3,"snippet":[{"text":"hit","mark":true}]}]}"#;
        assert_eq!(text(search.to_json()), json);
    }

    #[test]
    fn an_event_is_one_line() {
        let event = Event::Filed { document: document(), replaced: false };
        let json = r#"{"event":"filed","name":"a\"\n","len":3,"sha256":"5ha2","modified":17,"replaced":false}"#;
        assert_eq!(event.message(), format!("data: {json}\n\n"));
        let event = Event::Deleted { name: "a".into() };
        assert_eq!(event.message(), "data: {\"event\":\"deleted\",\"name\":\"a\"}\n\n");
    }
}
