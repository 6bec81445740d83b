use std::io::{self, Read};

/// Numbers that look random, and are the same in each run: xorshift64*.
///
/// As a reader it is an endless stream of their bytes, for documents too large to be kept.
#[derive(Clone, Debug)]
pub struct Numbers {
    state: u64,
    /// Bytes of a number of which some were read.
    rest: Vec<u8>,
}

impl Numbers {
    /// Those that follow from a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, rest: Vec::new() }
    }

    /// The next one.
    pub fn number(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// The next one, below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("it fits");
        usize::try_from((self.number() >> 11) % end).expect("it fits")
    }

    /// The next bytes.
    pub fn vec(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.fill(&mut bytes);
        bytes
    }

    fn fill(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            if self.rest.is_empty() {
                let (whole, _) = bytes.as_chunks_mut::<8>();
                let count = whole.len();
                for chunk in whole {
                    *chunk = self.number().to_le_bytes();
                }
                bytes = &mut bytes[8 * count..];
                self.rest = self.number().to_le_bytes().to_vec();
            }
            let count = bytes.len().min(self.rest.len());
            bytes[..count].copy_from_slice(&self.rest[..count]);
            self.rest.drain(..count);
            bytes = &mut bytes[count..];
        }
    }
}

impl Read for Numbers {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.fill(bytes);
        Ok(bytes.len())
    }
}
