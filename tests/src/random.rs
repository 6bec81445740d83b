use std::io::{self, Read};

/// Pseudorandom numbers, the same for the same seed (`SplitMix64`).
///
/// As a reader it is an endless stream of their bytes, for documents too large for memory.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
    /// The bytes of a number that were not read yet.
    rest: Vec<u8>,
}

impl Random {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        let mut random = Self { state: seed ^ 0x9e37_79b9_7f4a_7c15, rest: Vec::new() };
        // Skip some numbers, because those of similar seeds are similar at first.
        for _ in 0..8 {
            random.number();
        }
        random
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }

    /// The next index into a list of `len` elements.
    pub fn index(&mut self, len: usize) -> usize {
        let len = u64::try_from(len).expect("it fits");
        usize::try_from(self.below(len)).expect("it fits")
    }

    /// The next number above 0 and up to 1.
    pub fn fraction(&mut self) -> f64 {
        let number = u32::try_from(self.number() >> 32).unwrap_or(u32::MAX);
        (f64::from(number) + 1.0) / 4_294_967_296.0
    }

    /// The next `count` bytes.
    pub fn next_bytes(&mut self, count: usize) -> Vec<u8> {
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

impl Read for Random {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.fill(bytes);
        Ok(bytes.len())
    }
}
