//! Names as bytes: labels with their lengths, and no compression.

use domain::base::Name;
use domain::base::name::ToName;

/// A name of the zone.
pub(crate) type Domain = Name<bytes::Bytes>;

/// The most labels of a name, with the empty one of the root.
const LABELS: usize = 128;

/// A name, as it was asked and in lower case, with the places of its labels.
pub(crate) struct Labels {
    pub(crate) asked: Vec<u8>,
    pub(crate) lower: Vec<u8>,
    starts: [u8; LABELS],
    count: usize,
}

impl Labels {
    pub(crate) fn new(name: &impl ToName) -> Self {
        let mut asked = Vec::with_capacity(name.compose_len().into());
        let (mut starts, mut count) = ([0; LABELS], 0);
        for label in name.iter_labels() {
            // A name has at most 255 bytes.
            starts[count] = u8::try_from(asked.len()).unwrap_or(u8::MAX);
            count += 1;
            asked.push(u8::try_from(label.len()).unwrap_or(0));
            asked.extend_from_slice(label.as_slice());
        }
        let lower = asked.to_ascii_lowercase();
        Self { asked, lower, starts, count }
    }

    /// The places where the names above this one begin, from the one itself to the root.
    pub(crate) fn starts(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.starts[..self.count].iter().map(|start| usize::from(*start))
    }
}

/// Parses a name, as the option of a command line has it.
pub(crate) fn parse(text: &str) -> Result<Domain, String> {
    text.parse().map_err(|_| format!("`{text}` is no name"))
}
