use sha2::{Digest, Sha256};

use crate::Random;

/// Documents of one length that cost little to make: all but their last bytes are the same.
#[derive(Clone, Debug)]
pub struct Ream {
    common: Vec<u8>,
    hash: Sha256,
}

const END: usize = 24;

impl Ream {
    /// Documents of `len` bytes: words, or bytes that are no text.
    pub fn new(len: usize, is_text: bool) -> Self {
        assert!(len >= END, "a document has at least {END} bytes");
        let mut common = Vec::with_capacity(len + 16);
        let mut random = Random::new(len as u64);
        while common.len() < len - END {
            if is_text {
                // Some thousand words, as a long text has.
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

    /// The document of this number, and its SHA-256 digest in hexadecimal digits.
    pub fn document(&self, number: u64) -> (Vec<u8>, String) {
        let end = format!(" no {number:019}\n");
        let hash = self.hash.clone().chain_update(&end);
        ([&self.common, end.as_bytes()].concat(), hex(&hash.finalize()))
    }
}

/// The SHA-256 digest of bytes, in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
