use std::error::Error;
use std::fmt;

/// The form in which values reach the functions of a worker process, and come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WireFormat {
    /// `bytes`. A result may be a `bytearray` or a `memoryview`, too.
    Bytes,
    /// `str`, as UTF-8.
    Text,
    /// The value that `json.loads` makes of it. `NaN` and infinite numbers are refused.
    Json,
}

impl WireFormat {
    #[cfg(unix)]
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// A job for a worker process, or a part of its reply: how the value becomes bytes.
///
/// `Vec<u8>` arrives as `bytes` and `String` as `str`; with the feature `serde`, `Json<T>` as what JSON makes
/// of it. A type of your own chooses the format that the function gets:
///
/// ```
/// use std::error::Error;
///
/// use fsm_runtime::{Wire, WireFormat};
///
/// /// The lines of a text.
/// #[derive(Debug, PartialEq)]
/// struct Lines(Vec<String>);
///
/// impl Wire for Lines {
///     const FORMAT: WireFormat = WireFormat::Text;
///
///     fn encode(&self, body: &mut Vec<u8>) -> Result<(), Box<dyn Error + Send + Sync>> {
///         body.extend_from_slice(self.0.join("\n").as_bytes());
///         Ok(())
///     }
///
///     fn decode(body: &[u8]) -> Result<Self, Box<dyn Error + Send + Sync>> {
///         Ok(Self(std::str::from_utf8(body)?.lines().map(str::to_owned).collect()))
///     }
/// }
///
/// let lines = Lines(vec!["one".to_owned(), "two".to_owned()]);
/// let mut body = Vec::new();
/// lines.encode(&mut body)?;
/// assert_eq!(Lines::decode(&body)?, lines);
/// # Ok::<(), Box<dyn Error + Send + Sync>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no job or result of a worker process",
    label = "`Wire` is not implemented for `{Self}`",
    note = "with the feature `serde` of fsm-runtime, `Json<{Self}>` is one if `{Self}` is `Serialize` and `Deserialize`"
)]
pub trait Wire: Sized {
    /// The form of the bytes.
    const FORMAT: WireFormat;

    /// Appends the bytes of the value.
    ///
    /// # Errors
    ///
    /// Returns an error if the value has no bytes. The caller gets it as [`Raised`].
    fn encode(&self, body: &mut Vec<u8>) -> Result<(), Box<dyn Error + Send + Sync>>;

    /// Makes the value of its bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if these are not the bytes of a value. The caller gets it as [`Raised`].
    fn decode(body: &[u8]) -> Result<Self, Box<dyn Error + Send + Sync>>;
}

impl Wire for Vec<u8> {
    const FORMAT: WireFormat = WireFormat::Bytes;

    fn encode(&self, body: &mut Vec<u8>) -> Result<(), Box<dyn Error + Send + Sync>> {
        body.extend_from_slice(self);
        Ok(())
    }

    fn decode(body: &[u8]) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(body.to_vec())
    }
}

impl Wire for String {
    const FORMAT: WireFormat = WireFormat::Text;

    fn encode(&self, body: &mut Vec<u8>) -> Result<(), Box<dyn Error + Send + Sync>> {
        body.extend_from_slice(self.as_bytes());
        Ok(())
    }

    fn decode(body: &[u8]) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(std::str::from_utf8(body)?.to_owned())
    }
}

/// A value that goes to a worker process, or comes back, as JSON.
///
/// ```
/// use fsm_runtime::{Json, Wire};
///
/// let mut body = Vec::new();
/// Json(vec![1, 2, 3]).encode(&mut body)?;
/// assert_eq!(body, b"[1,2,3]");
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[cfg(feature = "serde")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Json<T>(pub T);

#[cfg(feature = "serde")]
impl<T: serde::Serialize + serde::de::DeserializeOwned> Wire for Json<T> {
    const FORMAT: WireFormat = WireFormat::Json;

    fn encode(&self, body: &mut Vec<u8>) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(serde_json::to_writer(body, &self.0)?)
    }

    fn decode(body: &[u8]) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self(serde_json::from_slice(body)?))
    }
}

/// An exception of the function that a worker process calls.
///
/// The job has failed and the process goes on with the next one. Each text has at most 64 KiB. A value that has
/// no bytes, or a result that is no value, is one of the kind [`Raised::WIRE`].
///
/// ```
/// use fsm_runtime::Raised;
///
/// // As a test of a caller makes it.
/// let raised = Raised {
///     kind: "ValueError".to_owned(),
///     text: "no page".to_owned(),
///     traceback: String::new(),
/// };
/// assert_eq!(raised.to_string(), "ValueError: no page");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    /// The class of the exception, such as `ValueError`, with its module unless that is `builtins`.
    pub kind: String,
    /// The text that `str` makes of the exception.
    pub text: String,
    /// The traceback as Python prints it, from the function on, or nothing if no code of its is to blame.
    pub traceback: String,
}

impl Raised {
    /// The [`kind`](Raised::kind) of what [`Wire`] has refused.
    pub const WIRE: &'static str = "fsm_runtime.Wire";

    #[cfg(unix)]
    pub(super) fn wire(error: &(dyn Error + Send + Sync)) -> Self {
        let (kind, text) = (Self::WIRE.to_owned(), error.to_string());
        Self { kind, text, traceback: String::new() }
    }

    /// Reads three texts, each with its length in front; `None` if that is something else.
    #[cfg(unix)]
    pub(super) fn parse(mut body: &[u8]) -> Option<Self> {
        let mut text = || {
            let (length, rest) = body.split_first_chunk()?;
            let length = usize::try_from(u32::from_ne_bytes(*length)).ok()?;
            let (text, rest) = rest.split_at_checked(length)?;
            body = rest;
            Some(String::from_utf8_lossy(text).into_owned())
        };
        Some(Self { kind: text()?, text: text()?, traceback: text()? })
    }
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, text, .. } = self;
        if text.is_empty() { f.write_str(kind) } else { write!(f, "{kind}: {text}") }
    }
}

impl Error for Raised {}
