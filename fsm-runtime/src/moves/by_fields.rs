/// Implements [`Moves`](crate::Moves) for structs, by all of their fields.
///
/// ```
/// use fsm_runtime::{Moves, moves_by_fields};
///
/// #[derive(Debug, PartialEq)]
/// struct Upload {
///     name: String,
///     left: u64,
/// }
///
/// moves_by_fields!(Upload { name, left });
///
/// let mut bytes = Vec::new();
/// let upload = Upload { name: "report".to_owned(), left: 7 };
/// upload.pack(&mut bytes);
/// assert_eq!(Upload::unpack(&mut &bytes[..]), Some(upload));
/// ```
///
/// A field that is left out is a compile error:
///
/// ```compile_fail
/// struct Upload {
///     name: String,
///     left: u64,
/// }
///
/// fsm_runtime::moves_by_fields!(Upload { name });
/// ```
#[macro_export]
macro_rules! moves_by_fields {
    ($($name:ident { $($field:ident),* $(,)? }),+ $(,)?) => {
        $(
            impl $crate::Moves for $name {
                fn pack(&self, into: &mut ::std::vec::Vec<u8>) {
                    let Self { $($field),* } = self;
                    $($crate::Moves::pack($field, into);)*
                    let _ = into;
                }

                fn unpack(from: &mut &[u8]) -> ::core::option::Option<Self> {
                    let _ = &from;
                    ::core::option::Option::Some(Self { $($field: $crate::Moves::unpack(from)?),* })
                }
            }
        )+
    };
}

/// Implements [`Moves`](crate::Moves) for types with `Serialize` and `Deserialize`, as JSON.
///
/// ```
/// use fsm_runtime::{Moves, moves_by_serde};
/// # use serde::{Deserialize, Deserializer, Serialize, Serializer};
///
/// // And `#[derive(Deserialize, Serialize)]`.
/// #[derive(Debug, PartialEq)]
/// struct Tags(Vec<String>);
/// #
/// # impl Serialize for Tags {
/// #     fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
/// #         self.0.serialize(serializer)
/// #     }
/// # }
/// #
/// # impl<'de> Deserialize<'de> for Tags {
/// #     fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
/// #         Vec::deserialize(deserializer).map(Self)
/// #     }
/// # }
///
/// moves_by_serde!(Tags);
///
/// let mut bytes = Vec::new();
/// let tags = Tags(vec!["new".to_owned()]);
/// tags.pack(&mut bytes);
/// assert_eq!(Tags::unpack(&mut &bytes[..]), Some(tags));
/// ```
///
/// serde's rules for a field that is missing or unknown hold between two versions of a program, too: see
/// `#[serde(default)]`. A value that serde cannot serialize makes its connection stay.
#[cfg(feature = "serde")]
#[macro_export]
macro_rules! moves_by_serde {
    ($($type:ty),+ $(,)?) => {
        $(
            impl $crate::Moves for $type {
                fn pack(&self, into: &mut ::std::vec::Vec<u8>) {
                    $crate::__pack_json(self, into);
                }

                fn unpack(from: &mut &[u8]) -> ::core::option::Option<Self> {
                    $crate::__unpack_json(from)
                }
            }
        )+
    };
}

/// Appends the length of the JSON text, and the text. A value that serde refuses has no text, and does not unpack.
#[cfg(feature = "serde")]
pub fn pack_json<T: serde::Serialize>(value: &T, into: &mut Vec<u8>) {
    crate::Moves::pack(&serde_json::to_vec(value).unwrap_or_default(), into);
}

/// Takes the length of a JSON text and the text, and returns the value in it.
#[cfg(feature = "serde")]
pub fn unpack_json<T: serde::de::DeserializeOwned>(from: &mut &[u8]) -> Option<T> {
    let text: Vec<u8> = crate::Moves::unpack(from)?;
    serde_json::from_slice(&text).ok()
}
