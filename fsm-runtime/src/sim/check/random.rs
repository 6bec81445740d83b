/// A sequence of numbers that is the same each time (xorshift).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        // The state must not be 0.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x2545_F491_4F6C_DD1D | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        let end = end.max(1) as u64;
        usize::try_from(self.next() % end).unwrap_or_default()
    }

    pub(super) fn byte(&mut self) -> u8 {
        let [_, byte, ..] = self.next().to_be_bytes();
        byte
    }

    /// A byte less than `end`, behind `first`.
    fn byte_of(&mut self, first: u8, end: u8) -> u8 {
        first + self.byte() % end
    }

    /// Appends some bytes, often `missing`, as frames have them: small numbers, digits, letters.
    pub(super) fn more(&mut self, missing: usize, hints: &[&[u8]], bytes: &mut Vec<u8>) {
        if !hints.is_empty() && self.below(3) == 0 {
            bytes.extend(hints[self.below(hints.len())]);
            return;
        }
        let len = if self.below(4) == 0 { 1 } else { missing.max(1) };
        let style = self.below(5);
        bytes.extend((0..len).map(|at| match style {
            0 if at + 1 == len => self.byte_of(0, 6),
            0 => 0,
            1 => self.byte_of(b'a', 26),
            2 => self.byte_of(b'0', 10),
            3 => self.byte_of(0, 4),
            _ => self.byte(),
        }));
    }
}
