//! How the usual values are packed: numbers with the least byte first, and a count before what has no fixed length.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{Moves, take};

macro_rules! numbers {
    ($($number:ty),*) => {
        $(
            impl Moves for $number {
                fn pack(&self, into: &mut Vec<u8>) {
                    into.extend_from_slice(&self.to_le_bytes());
                }

                fn unpack(from: &mut &[u8]) -> Option<Self> {
                    let bytes = take(from, size_of::<Self>())?;
                    Some(Self::from_le_bytes(bytes.try_into().ok()?))
                }
            }
        )*
    };
}

numbers!(u8, u16, u32, u64, u128, i8, i16, i32, i64, i128, f32, f64);

/// Implements `Moves` for types by way of another one: `type as other: pack, unpack`.
macro_rules! by_way_of {
    ($($type:ty as $other:ty: $pack:expr, $unpack:expr;)*) => {
        $(
            impl Moves for $type {
                fn pack(&self, into: &mut Vec<u8>) {
                    let pack: fn(&Self) -> $other = $pack;
                    pack(self).pack(into);
                }

                fn unpack(from: &mut &[u8]) -> Option<Self> {
                    let unpack: fn($other) -> Option<Self> = $unpack;
                    unpack(<$other>::unpack(from)?)
                }
            }
        )*
    };
}

by_way_of! {
    usize as u64: |it| *it as u64, |it| it.try_into().ok();
    isize as i64: |it| *it as i64, |it| it.try_into().ok();
    bool as u8: |it| u8::from(*it), |it| (it < 2).then_some(it == 1);
    char as u32: |it| u32::from(*it), char::from_u32;
    Duration as (u64, u32): |it| (it.as_secs(), it.subsec_nanos()), duration;
    Ipv4Addr as u32: |it| it.to_bits(), |it| Some(Self::from_bits(it));
    Ipv6Addr as u128: |it| it.to_bits(), |it| Some(Self::from_bits(it));
    SocketAddrV4 as (Ipv4Addr, u16):
        |it| (*it.ip(), it.port()), |(ip, port)| Some(Self::new(ip, port));
    SocketAddrV6 as (Ipv6Addr, u16, u32, u32):
        |it| (*it.ip(), it.port(), it.flowinfo(), it.scope_id()),
        |(ip, port, flow, scope)| Some(Self::new(ip, port, flow, scope));
    IpAddr as (Option<Ipv4Addr>, Option<Ipv6Addr>): |it| match it {
            IpAddr::V4(ip) => (Some(*ip), None),
            IpAddr::V6(ip) => (None, Some(*ip)),
        }, |it| match it {
            (Some(ip), None) => Some(Self::V4(ip)),
            (None, Some(ip)) => Some(Self::V6(ip)),
            _ => None,
        };
    SocketAddr as (Option<SocketAddrV4>, Option<SocketAddrV6>): |it| match it {
            SocketAddr::V4(at) => (Some(*at), None),
            SocketAddr::V6(at) => (None, Some(*at)),
        }, |it| match it {
            (Some(at), None) => Some(Self::V4(at)),
            (None, Some(at)) => Some(Self::V6(at)),
            _ => None,
        };
}

/// `Duration::new` panics where the nanoseconds carry over the last second.
fn duration((seconds, nanos): (u64, u32)) -> Option<Duration> {
    (nanos < 1_000_000_000).then(|| Duration::new(seconds, nanos))
}

fn pack_bytes(bytes: &[u8], into: &mut Vec<u8>) {
    bytes.len().pack(into);
    into.extend_from_slice(bytes);
}

fn unpack_bytes<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::unpack(from)?;
    take(from, len)
}

fn unpack_text<'a>(from: &mut &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(unpack_bytes(from)?).ok()
}

macro_rules! text {
    ($($type:ty),*) => {
        $(
            impl Moves for $type {
                fn pack(&self, into: &mut Vec<u8>) {
                    let text: &str = self;
                    pack_bytes(text.as_bytes(), into);
                }

                fn unpack(from: &mut &[u8]) -> Option<Self> {
                    unpack_text(from).map(|text| text.to_owned().into())
                }
            }
        )*
    };
}

text!(String, Box<str>, Arc<str>, Cow<'static, str>);

impl Moves for Bytes {
    fn pack(&self, into: &mut Vec<u8>) {
        pack_bytes(self, into);
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        unpack_bytes(from).map(Self::copy_from_slice)
    }
}

impl<T: Moves> Moves for Option<T> {
    fn pack(&self, into: &mut Vec<u8>) {
        self.is_some().pack(into);
        if let Some(value) = self {
            value.pack(into);
        }
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        if bool::unpack(from)? { T::unpack(from).map(Some) } else { Some(None) }
    }
}

impl<T: Moves> Moves for Box<T> {
    fn pack(&self, into: &mut Vec<u8>) {
        T::pack(self, into);
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        T::unpack(from).map(Self::new)
    }
}

impl<T: Moves, const N: usize> Moves for [T; N] {
    fn pack(&self, into: &mut Vec<u8>) {
        for value in self {
            value.pack(into);
        }
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        let values: Option<Vec<T>> = (0..N).map(|_| T::unpack(from)).collect();
        values?.try_into().ok()
    }
}

/// Packs the values behind their count, and as many bytes as there are values at least: the count of values without a
/// byte would be bounded by nothing else.
fn pack_all<'a, T: Moves + 'a>(values: impl ExactSizeIterator<Item = &'a T>, into: &mut Vec<u8>) {
    let count = values.len();
    count.pack(into);
    let least = into.len().saturating_add(count);
    values.for_each(|value| value.pack(into));
    into.resize(into.len().max(least), 0);
}

/// Unpacks the values, for which no memory is taken before they are there.
fn unpack_all<T: Moves, C: Default + Extend<T>>(from: &mut &[u8]) -> Option<C> {
    let count = usize::unpack(from)?;
    let mut after = from.get(count..)?;
    let mut values = C::default();
    for _ in 0..count {
        values.extend([T::unpack(from)?]);
    }
    if from.len() < after.len() {
        after = from;
    }
    *from = after;
    Some(values)
}

/// Collections whose iterators tell their length.
macro_rules! collections {
    ($([$($parameters:tt)*] $type:ty, $item:ty;)*) => {
        $(
            impl<$($parameters)*> Moves for $type {
                fn pack(&self, into: &mut Vec<u8>) {
                    pack_all::<$item>(self.iter(), into);
                }

                fn unpack(from: &mut &[u8]) -> Option<Self> {
                    unpack_all::<$item, Self>(from)
                }
            }
        )*
    };
}

collections! {
    [T: Moves] Vec<T>, T;
    [T: Moves] VecDeque<T>, T;
    [T: Moves + Ord] BTreeSet<T>, T;
    [T: Moves + Eq + Hash, S: BuildHasher + Default] HashSet<T, S>, T;
}

macro_rules! slices {
    ($($type:ty),*) => {
        $(
            impl<T: Moves> Moves for $type {
                fn pack(&self, into: &mut Vec<u8>) {
                    pack_all(self.iter(), into);
                }

                fn unpack(from: &mut &[u8]) -> Option<Self> {
                    Vec::unpack(from).map(Self::from)
                }
            }
        )*
    };
}

slices!(Box<[T]>, Arc<[T]>);

macro_rules! maps {
    ($([$($parameters:tt)*] $type:ty;)*) => {
        $(
            impl<$($parameters)*> Moves for $type {
                fn pack(&self, into: &mut Vec<u8>) {
                    let count = self.len();
                    count.pack(into);
                    let least = into.len().saturating_add(count);
                    for (key, value) in self {
                        key.pack(into);
                        value.pack(into);
                    }
                    into.resize(into.len().max(least), 0);
                }

                fn unpack(from: &mut &[u8]) -> Option<Self> {
                    unpack_all::<(K, V), Self>(from)
                }
            }
        )*
    };
}

maps! {
    [K: Moves + Ord, V: Moves] BTreeMap<K, V>;
    [K: Moves + Eq + Hash, V: Moves, S: BuildHasher + Default] HashMap<K, V, S>;
}

macro_rules! tuples {
    ($(($($name:ident)*))*) => {
        $(
            impl<$($name: Moves),*> Moves for ($($name,)*) {
                #[allow(non_snake_case, reason = "the variables are named after their types")]
                fn pack(&self, into: &mut Vec<u8>) {
                    let ($($name,)*) = self;
                    $($name.pack(into);)*
                    let _ = into;
                }

                fn unpack(from: &mut &[u8]) -> Option<Self> {
                    let _ = &from;
                    Some(($($name::unpack(from)?,)*))
                }
            }
        )*
    };
}

tuples! {
    () (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    /// Packs a value, unpacks it again, and looks at all the ways in which the bytes can be cut off.
    fn moves<T: Moves + PartialEq + Debug>(value: T) {
        let mut bytes = Vec::new();
        value.pack(&mut bytes);
        let behind = [&bytes[..], b"behind"].concat();
        let mut from = &behind[..];
        assert_eq!(T::unpack(&mut from), Some(value));
        assert_eq!(from, b"behind");
        for cut in 0..bytes.len() {
            assert_eq!(T::unpack(&mut &bytes[..cut]), None, "{cut} of {} bytes", bytes.len());
        }
    }

    #[test]
    fn u1_what_was_packed_unpacks_and_a_part_of_it_does_not() {
        moves((1_u8, -2_i16, 3_u32, -4_i64, 5_u128, 6_usize, -7_isize, 0.5_f64));
        moves((true, 'ü', Some(7_u8), None::<u8>, (), Duration::new(3, 999_999_999)));
        moves(("text".to_owned(), Box::<str>::from("ü"), Arc::<str>::from(""), Box::new(7_u8)));
        moves((Cow::from("text"), Bytes::from_static(b"\xff"), [1_u16, 2, 3]));
        moves(vec![Some("a".to_owned()), None]);
        moves((VecDeque::from([1_u8]), Box::<[u8]>::from([1, 2]), Arc::<[u64]>::from([])));
        moves(BTreeMap::from([(1_u8, "one".to_owned()), (2, String::new())]));
        moves(HashMap::<u8, u8>::from([(1, 2), (3, 4)]));
        moves((BTreeSet::from([1_u8, 2]), HashSet::<String>::from(["x".to_owned()])));
        moves::<SocketAddr>("127.0.0.1:80".parse().unwrap());
        moves::<(IpAddr, SocketAddr)>(("::1".parse().unwrap(), "[fe80::1%7]:80".parse().unwrap()));
        moves(vec![(); 5]);
        moves(HashMap::<(), bool>::from([((), true)]));
    }

    #[test]
    fn u1_bytes_that_no_value_has_packed_are_refused() {
        assert_eq!(bool::unpack(&mut &[2][..]), None);
        assert_eq!(Option::<()>::unpack(&mut &[7][..]), None);
        assert_eq!(char::unpack(&mut &[0, 0xd8, 0, 0][..]), None);
        assert_eq!(Duration::unpack(&mut &[0xff; 12][..]), None);
        assert_eq!(IpAddr::unpack(&mut &[0, 0][..]), None);
        let text = [&1_u64.to_le_bytes()[..], b"\xff"].concat();
        assert_eq!(String::unpack(&mut &text[..]), None);
    }

    #[test]
    fn u1_a_count_from_outside_takes_no_memory_and_no_time() {
        let huge = [&u64::MAX.to_le_bytes()[..], &[0; 64]].concat();
        assert_eq!(Vec::<()>::unpack(&mut &huge[..]), None);
        assert_eq!(Vec::<u128>::unpack(&mut &huge[..]), None);
        assert_eq!(String::unpack(&mut &huge[..]), None);
        assert_eq!(HashMap::<(), bool>::unpack(&mut &huge[..]), None);
    }
}
