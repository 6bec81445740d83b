use crate::Key;
use crate::net::poll::Token;

/// The token of the poll's waker.
pub(crate) const WAKER: Token = Token(usize::MAX);
/// The token of the pipe that signal handlers write to.
#[cfg(any(unix, test))]
pub(crate) const SIGNALS: Token = Token(usize::MAX - 1);
/// The largest token of the first socket of a connection.
pub(crate) const LAST_FIRST: usize = usize::MAX >> 1;
/// The largest token of a key.
pub(crate) const LAST_KEY: usize = usize::MAX - 2 - LISTENERS - DIALS;
/// The most listeners of a port. Their tokens lie below the two tokens above.
pub(crate) const LISTENERS: usize = 32;
/// The most connections of a port that are on their way. Their tokens lie between the keys and the listeners.
pub(crate) const DIALS: usize = 256;

/// The token of the listener with this index.
pub(crate) fn listener(index: usize) -> Token {
    Token(usize::MAX - 2 - index)
}

/// The index of the listener that has this token.
pub(crate) fn as_listener(token: Token) -> Option<usize> {
    let index = (usize::MAX - 2).checked_sub(token.0)?;
    (index < LISTENERS).then_some(index)
}

/// The token of the connection on its way with this index.
pub(crate) fn dial(index: usize) -> Token {
    Token(usize::MAX - 2 - LISTENERS - index)
}

/// The index of the connection on its way that has this token.
pub(crate) fn as_dial(token: Token) -> Option<usize> {
    let index = (usize::MAX - 2 - LISTENERS).checked_sub(token.0)?;
    (index < DIALS).then_some(index)
}

#[inline]
pub(crate) fn from_key(key: Key) -> Token {
    Token(key.0)
}

#[inline]
pub(crate) fn to_key(token: Token) -> Key {
    Key(token.0 & LAST_FIRST)
}

/// The token of the other socket of a connection, which is that of its first one with the highest bit.
pub(crate) fn of_other(key: Key) -> Token {
    Token(key.0 | !LAST_FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x5_a_token_carries_the_generation() {
        for key in [Key::new(0, 0), Key::new(7, 3), Key::new(0x000F_0000, 0x7FF)] {
            assert_eq!(to_key(from_key(key)), key);
        }
        assert_ne!(from_key(Key::new(1, 1)), from_key(Key::new(1, 2)));
    }

    #[test]
    fn s3_both_sockets_of_a_connection_have_a_token_with_its_generation() {
        for key in [Key::new(0, 0), Key::new(7, 3), Key::new(0x000F_0000, 0x7FF)] {
            assert_eq!(to_key(of_other(key)), key);
            assert!(from_key(key).0 <= LAST_FIRST && of_other(key).0 > LAST_FIRST);
        }
        assert_ne!(of_other(Key::new(1, 1)), of_other(Key::new(1, 2)));
    }

    #[test]
    fn pitfall_10_tokens_of_the_port_are_no_keys() {
        for index in 0..LISTENERS {
            assert_eq!(as_listener(listener(index)), Some(index));
        }
        for index in 0..DIALS {
            assert_eq!((as_dial(dial(index)), as_listener(dial(index))), (Some(index), None));
            assert!(dial(index).0 > LAST_KEY);
        }
        assert_eq!(as_dial(listener(LISTENERS - 1)), None);
        assert_eq!(as_listener(WAKER), None);
        assert_eq!(as_listener(SIGNALS), None);
        let last = Key::new(0, crate::key::GENERATIONS);
        for token in [from_key(last), of_other(last)] {
            assert!(
                token.0 <= LAST_KEY && as_listener(token).is_none() && as_dial(token).is_none()
            );
        }
    }
}
