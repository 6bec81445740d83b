use sha2::{Digest, Sha256};

use crate::Random;
use crate::sha256::hex;

/// Documents of one length that differ only in their last bytes, so that each is cheap to make.
#[derive(Clone, Debug)]
pub struct DocumentSeries {
    common: Vec<u8>,
    hash: Sha256,
}

const END: usize = 24;

impl DocumentSeries {
    /// Creates a series of documents of `len` bytes: words, or binary data.
    pub fn new(len: usize, is_text: bool) -> Self {
        assert!(len >= END, "a document has at least {END} bytes");
        let mut common = Vec::with_capacity(len + 16);
        let mut random = Random::new(len as u64);
        while common.len() < len - END {
            if is_text {
                // The vocabulary of a long text has some thousand words.
                common.extend(format!("w{:x} ", random.below(5_000)).bytes());
            } else {
                common.extend(random.number().to_le_bytes());
            }
        }
        common.truncate(len - END);
        if !is_text {
            common[0] = 0xff;
        }
        let hash = Sha256::new_with_prefix(&common);
        Self { common, hash }
    }

    /// The document with this number, and its SHA-256 digest in hexadecimal digits.
    pub fn document(&self, number: u64) -> (Vec<u8>, String) {
        let end = format!(" no {number:019}\n");
        let hash = self.hash.clone().chain_update(&end);
        ([&self.common, end.as_bytes()].concat(), hex(&hash.finalize()))
    }
}
