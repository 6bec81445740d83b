use std::io::Write;

use super::*;
use crate::net::transport::Read;

/// A socket that takes `room` bytes and then blocks until the test sets `room` again.
#[derive(Default)]
struct Narrow {
    taken: Vec<u8>,
    room: usize,
    aborted: bool,
}

/// A file of these bytes, which has no name.
fn file_of(bytes: &[u8]) -> Arc<File> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Arc::new(file)
}

impl ByteStream for Narrow {
    fn read(&mut self, _: &mut [u8]) -> io::Result<Read> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut taken = 0;
        for slice in slices {
            assert!(!slice.is_empty(), "pitfall 17: an empty slice");
            let step = slice.len().min(self.room);
            self.taken.extend_from_slice(&slice[..step]);
            self.room -= step;
            taken += step;
        }
        if taken == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    fn shutdown(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn abort(&mut self) {
        self.aborted = true;
    }
}

#[test]
fn pitfall_17_partial_writes_lose_nothing_and_double_nothing() {
    let content: Vec<u8> = (0..=u8::MAX).cycle().take(100_000).collect();
    let file = file_of(&content);
    let mut seed = 7_u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for _ in 0..200 {
        let mut socket = Narrow::default();
        let (mut output, mut expected, mut kept) = (SendBuffer::default(), Vec::new(), None);
        for n in 0..100_u8 {
            match random(8) {
                0 | 1 => {
                    let bytes = vec![n; random(700)];
                    expected.extend_from_slice(&bytes);
                    output.write(&bytes);
                }
                2 => {
                    let bytes = vec![n; random(4 * COPY_BELOW)];
                    expected.extend_from_slice(&bytes);
                    output.send(bytes.into());
                }
                3 | 4 => {
                    socket.room = random(5_000);
                    let flushed = output.flush(&mut socket).unwrap();
                    assert_eq!(flushed == Flushed::All, output.is_empty());
                }
                5 | 6 => {
                    let (at, len) = (random(90_000), [0, random(20), random(10_000)][random(3)]);
                    expected.extend_from_slice(&content[at..at + len]);
                    output.send_file(Arc::clone(&file), at as u64, len);
                }
                _ => {
                    // The turn ends, and the next one takes over the unsent output.
                    kept = Some(output.keep());
                    assert_eq!(output.len(), 0);
                }
            }
            if let Some(kept) = kept.take() {
                output.resume(kept);
            }
            assert_eq!(socket.taken.len() + output.len(), expected.len());
        }
        socket.room = usize::MAX;
        output.begin_turn();
        assert_eq!(output.flush(&mut socket).unwrap(), Flushed::All);
        assert!(socket.taken == expected);
        assert!(!socket.aborted);
    }
}

#[test]
fn x4_a_turn_sends_a_bounded_part_of_a_file() {
    let len = 2 * FILE_BYTES + 5;
    let file = file_of(&vec![b'f'; len]);
    let mut socket = Narrow { room: usize::MAX, ..Narrow::default() };
    let mut output = SendBuffer::default();
    output.write(b"head");
    output.send_file(file, 0, len);
    output.write(b"tail");
    for (sent, result) in [
        (4 + FILE_BYTES, Flushed::Paused),
        (4 + 2 * FILE_BYTES, Flushed::Paused),
        (len + 8, Flushed::All),
    ] {
        output.begin_turn();
        // Another flush in the same turn sends no more.
        for _ in 0..2 {
            assert_eq!(output.flush(&mut socket).unwrap(), result);
            assert_eq!((socket.taken.len(), output.len()), (sent, len + 8 - sent));
        }
        let kept = output.keep();
        output.resume(kept);
    }
    assert!(socket.taken.starts_with(b"headf") && socket.taken.ends_with(b"ftail"));
}

#[test]
fn x16_a_file_that_is_too_short_makes_the_close_a_reset() {
    let mut socket = Narrow { room: usize::MAX, ..Narrow::default() };
    let mut output = SendBuffer::default();
    output.send_file(file_of(b"short"), 0, 6);
    let error = output.flush(&mut socket).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    assert!(socket.aborted && socket.taken == b"short");
}

#[test]
fn x13_a_buffer_that_has_grown_is_given_back() {
    let mut output = SendBuffer::default();
    output.write(&vec![0; 4 * KEEP_CAPACITY]);
    drop(output.keep());
    output.write(&vec![0; 4 * KEEP_CAPACITY]);
    output.discard();
    assert!(output.buffer.capacity() <= KEEP_CAPACITY, "{}", output.buffer.capacity());
}

/// A socket that takes files as the kernel does, `room` bytes in all, and notes its calls.
#[derive(Default)]
struct Kernel {
    room: usize,
    calls: Vec<(&'static str, usize)>,
}

impl Kernel {
    fn take(&mut self, call: &'static str, most: usize) -> io::Result<usize> {
        let taken = most.min(self.room);
        self.room -= taken;
        self.calls.push((call, taken));
        if taken == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }
}

impl ByteStream for Kernel {
    fn read(&mut self, _: &mut [u8]) -> io::Result<Read> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.take("write", bytes.len())
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.take("write_vectored", slices.iter().map(|slice| slice.len()).sum())
    }

    fn write_before_file(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.take("write_before_file", slices.iter().map(|slice| slice.len()).sum())
    }

    fn send_file(&mut self, file: &File, at: u64, most: usize) -> io::Result<FileSent> {
        let left = usize::try_from(file.metadata()?.len().saturating_sub(at)).unwrap();
        if left == 0 {
            return Ok(FileSent::some(0));
        }
        let bytes = self.take("send_file", most.min(left))?;
        Ok(FileSent { bytes, cut: bytes < most })
    }

    fn shutdown(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn abort(&mut self) {
        self.calls.push(("abort", 0));
    }
}

#[test]
fn x17_what_stands_before_a_file_leaves_with_its_beginning() {
    let mut socket = Kernel { room: usize::MAX, ..Kernel::default() };
    let mut output = SendBuffer::default();
    output.write(b"head");
    output.send_file(file_of(b"body"), 0, 4);
    output.write(b"tail");
    assert_eq!(output.flush(&mut socket).unwrap(), Flushed::All);
    let calls = [("write_before_file", 4), ("send_file", 4), ("write", 4)];
    assert_eq!(socket.calls, calls);
}

#[test]
fn x17_what_stands_before_a_file_of_another_turn_does_not_wait_for_it() {
    let mut socket = Kernel { room: usize::MAX, ..Kernel::default() };
    let mut output = SendBuffer::default();
    let file = file_of(&vec![0; FILE_BYTES]);
    output.send_file(Arc::clone(&file), 0, FILE_BYTES);
    output.write(b"head");
    output.send_file(file, 0, 1);
    assert_eq!(output.flush(&mut socket).unwrap(), Flushed::Paused);
    assert_eq!(socket.calls, [("send_file", FILE_BYTES), ("write_vectored", 4)]);
}

#[test]
fn x17_parts_that_follow_each_other_are_one() {
    let file = file_of(&[0; 100]);
    let mut socket = Kernel::default();
    let mut output = SendBuffer::default();
    output.send_file(Arc::clone(&file), 0, 10);
    output.send_file(Arc::clone(&file), 10, 10);
    assert_eq!(output.flush(&mut socket).unwrap(), Flushed::Blocked);
    let kept = output.keep();
    output.resume(kept);
    output.send_file(Arc::clone(&file), 20, 10);
    // Neither the place before, nor bytes between, nor another file make one part.
    output.send_file(Arc::clone(&file), 0, 10);
    output.write(b"between");
    output.send_file(Arc::clone(&file), 10, 10);
    output.send_file(file_of(&[0; 100]), 20, 10);
    assert_eq!(output.len(), 67);
    socket.room = usize::MAX;
    output.begin_turn();
    assert_eq!(output.flush(&mut socket).unwrap(), Flushed::All);
    let sent = [30, 10, 7, 10, 10]
        .map(|bytes| (if bytes == 7 { "write_before_file" } else { "send_file" }, bytes));
    assert_eq!(socket.calls[1..], sent);
}

#[test]
fn x17_a_socket_that_takes_less_than_it_is_offered_is_not_tried_again() {
    let mut socket = Kernel { room: 70, ..Kernel::default() };
    let mut output = SendBuffer::default();
    output.send_file(file_of(&[0; 100]), 0, 100);
    assert_eq!(output.flush(&mut socket).unwrap(), Flushed::Blocked);
    assert_eq!((&*socket.calls, output.len()), (&[("send_file", 70)][..], 30));
}

/// The end of the file looks the same to a call, but causes no event.
#[test]
fn x17_a_file_that_ends_before_its_part_is_no_full_socket() {
    let mut socket = Kernel { room: usize::MAX, ..Kernel::default() };
    let mut output = SendBuffer::default();
    output.send_file(file_of(&[0; 100]), 0, 101);
    let error = output.flush(&mut socket).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    assert_eq!(socket.calls, [("send_file", 100), ("abort", 0)]);
}
