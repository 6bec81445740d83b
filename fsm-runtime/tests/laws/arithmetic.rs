//! Arithmetic in attributes, on the extreme values of each type.

use super::*;

/// A machine whose body is as long as an expression over `len` says: the first byte of the input chooses
/// the state, and its number is that of the handler.
macro_rules! lengths {
    ($($int:ident: $number:expr, $sum:expr, $product:expr, $difference:expr;)*) => {$(
        mod $int {
            use super::*;

            #[state_machine(start = Kind, eof => Gone, limit => Over, within = 10s => Gone)]
            enum Lengths {
                #[read(exact = 1)]
                #[to(Sum | Product | Difference | Quotient | Piece)]
                Kind,
                #[read(exact = len + 2, max = 64KiB)]
                #[to(Gone)]
                Sum { len: std::primitive::$int },
                #[read(exact = *len * 4, max = 64KiB)]
                #[to(Gone)]
                Product { len: std::primitive::$int },
                #[read(exact = *len - 2, max = 64KiB)]
                #[to(Gone)]
                Difference { len: std::primitive::$int },
                #[read(exact = 8 / len, max = 64KiB)]
                #[to(Gone)]
                Quotient { len: std::primitive::$int },
                #[read(upto = (len + 2) * 4 - 1, max = 16KiB)]
                #[to(Gone)]
                Piece { len: std::primitive::$int },
                #[run]
                #[to(Gone)]
                Over,
                #[end]
                Gone,
            }

            struct Client {
                len: std::primitive::$int,
            }

            type Len = std::primitive::$int;

            impl lengths::Handler for Client {
                fn kind(&mut self, kind: &[u8; 1], _: &mut Cx<'_>) -> lengths::AfterKind {
                    use lengths::AfterKind::*;

                    let len = self.len;
                    match kind {
                        b"+" => Sum { len },
                        b"*" => Product { len },
                        b"-" => Difference { len },
                        b"/" => Quotient { len },
                        _ => Piece { len },
                    }
                }

                fn sum(&mut self, _: &mut Len, bytes: &[u8], cx: &mut Cx<'_>) -> lengths::AfterSum {
                    writeln!(cx, "{}", bytes.len());
                    lengths::AfterSum::Gone
                }

                fn product(
                    &mut self,
                    _: &mut Len,
                    bytes: &[u8],
                    cx: &mut Cx<'_>,
                ) -> lengths::AfterProduct {
                    writeln!(cx, "{}", bytes.len());
                    lengths::AfterProduct::Gone
                }

                fn difference(
                    &mut self,
                    _: &mut Len,
                    bytes: &[u8],
                    cx: &mut Cx<'_>,
                ) -> lengths::AfterDifference {
                    writeln!(cx, "{}", bytes.len());
                    lengths::AfterDifference::Gone
                }

                fn quotient(
                    &mut self,
                    _: &mut Len,
                    bytes: &[u8],
                    cx: &mut Cx<'_>,
                ) -> lengths::AfterQuotient {
                    writeln!(cx, "{}", bytes.len());
                    lengths::AfterQuotient::Gone
                }

                fn piece(
                    &mut self,
                    _: &mut Len,
                    bytes: &[u8],
                    cx: &mut Cx<'_>,
                ) -> lengths::AfterPiece {
                    writeln!(cx, "{}", bytes.len());
                    lengths::AfterPiece::Gone
                }

                fn over(&mut self, cx: &mut Cx<'_>) -> lengths::AfterOver {
                    writeln!(cx, "over");
                    lengths::AfterOver::Gone
                }
            }

            /// The answer to `kind` and more input than any state takes.
            fn answer(kind: u8, len: Len) -> String {
                let mut peer = Session::<Lengths, _>::new(Client { len });
                peer.send(&[kind]);
                peer.send(&vec![b'x'; 128 * 1024]);
                String::from_utf8(peer.receive().into()).unwrap().trim_end().to_owned()
            }

            #[test]
            fn the_largest_length_neither_wraps_nor_panics() {
                assert_eq!(answer(b'+', Len::MAX), $sum);
                assert_eq!(answer(b'*', Len::MAX), $product);
                assert_eq!(answer(b'-', Len::MAX), $difference);
                assert_eq!(answer(b'?', Len::MAX), $number);
                assert_eq!(answer(b'/', Len::MAX), "0");
            }

            #[test]
            fn a_length_below_nothing_takes_the_limit_edge() {
                assert_eq!(answer(b'-', 0), "over");
                assert_eq!(answer(b'-', 1), "over");
                assert_eq!(answer(b'-', 5), "3");
                assert_eq!(answer(b'/', 0), "over");
                assert_eq!(answer(b'?', 0), "7");
            }
        }
    )*};
}

lengths! {
    u8: "1027", "257", "1020", "253";
    u16: "16384", "over", "over", "65533";
    u32: "16384", "over", "over", "over";
    u64: "16384", "over", "over", "over";
    usize: "16384", "over", "over", "over";
}

/// Sleeps as long as expressions say, whose results may not fit their types.
#[state_machine(start = Start)]
enum Sleeps {
    #[run]
    #[to(Product | Argument)]
    Start,
    #[sleep(*pause * 2 + Duration::from_secs(1) - *pause / 2, max = 1min)]
    #[to(Gone)]
    Product { pause: Duration },
    #[sleep(Duration::from_millis(100 * tries - 50), max = 1min)]
    #[to(Gone)]
    Argument { tries: u64 },
    #[end]
    Gone,
}

enum Sleeper {
    Product(Duration),
    Argument(u64),
}

impl sleeps::Handler for Sleeper {
    fn start(&mut self, _: &mut Cx<'_>) -> sleeps::AfterStart {
        match self {
            Self::Product(pause) => sleeps::AfterStart::Product { pause: *pause },
            Self::Argument(tries) => sleeps::AfterStart::Argument { tries: *tries },
        }
    }

    fn product(&mut self, _: &mut Duration, cx: &mut Cx<'_>) -> sleeps::AfterProduct {
        cx.write(b"awake");
        sleeps::AfterProduct::Gone
    }

    fn argument(&mut self, _: &mut u64, cx: &mut Cx<'_>) -> sleeps::AfterArgument {
        cx.write(b"awake");
        sleeps::AfterArgument::Gone
    }
}

#[test]
fn a_sleep_that_does_not_fit_its_type_is_as_long_as_its_bound() {
    for (sleeper, millis) in [
        (Sleeper::Product(Duration::from_secs(2)), 4_000),
        (Sleeper::Product(Duration::MAX), 60_000),
        (Sleeper::Argument(3), 250),
        (Sleeper::Argument(u64::MAX), 60_000),
        (Sleeper::Argument(0), 1),
    ] {
        let mut peer = Session::<Sleeps, _>::new(sleeper);
        peer.advance(Duration::from_millis(millis - 1));
        assert_eq!(peer.receive(), b"", "before {millis} ms");
        peer.advance(Duration::from_millis(1));
        assert_eq!(peer.receive(), b"awake", "after {millis} ms");
    }
}

/// Reads by expressions of each form.
#[state_machine(start = Begin, eof => Gone, limit => Gone, within = 10s => Gone)]
enum Forms {
    #[run]
    #[to(Casts)]
    Begin,
    #[read(exact = (*head - 1) as usize + HEAD.len() % 2, max = 16)]
    #[to(Calls)]
    Casts { head: i32 },
    #[read(exact = padded(len + 1).min(2 * 3) << 2 >> 1, max = 16)]
    #[to(Fields)]
    Calls { len: u64 },
    #[read(exact = pair.0 + u64::from(pair.1 & 0x0f) | 1, max = 16)]
    #[to(Gone)]
    Fields { pair: (u64, u8) },
    #[end]
    Gone,
}

const HEAD: &[u8] = b"abc";

fn padded(len: u64) -> u64 {
    len.next_multiple_of(4)
}

struct AllForms;

impl forms::Handler for AllForms {
    fn begin(&mut self, _: &mut Cx<'_>) -> forms::AfterBegin {
        forms::AfterBegin::Casts { head: 3 }
    }

    fn casts(&mut self, _: &mut i32, bytes: &[u8], cx: &mut Cx<'_>) -> forms::AfterCasts {
        writeln!(cx, "{}", bytes.len());
        forms::AfterCasts::Calls { len: 2 }
    }

    fn calls(&mut self, _: &mut u64, bytes: &[u8], cx: &mut Cx<'_>) -> forms::AfterCalls {
        writeln!(cx, "{}", bytes.len());
        forms::AfterCalls::Fields { pair: (4, 0xf4) }
    }

    fn fields(&mut self, _: &mut (u64, u8), bytes: &[u8], cx: &mut Cx<'_>) -> forms::AfterFields {
        writeln!(cx, "{}", bytes.len());
        forms::AfterFields::Gone
    }
}

#[test]
fn expressions_have_the_values_that_rust_gives_them() {
    let mut peer = Session::<Forms, _>::new(AllForms);
    peer.send(&[0; 64]);
    assert_eq!(peer.receive(), b"3\n8\n9\n");
}
