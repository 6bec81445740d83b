use crate::Moves;

/// The fields of a state on the way to another process, by name. Generated code fills and reads it.
///
/// ```
/// use fsm_runtime::PackedFields;
///
/// let mut fields = PackedFields::default();
/// fields.put("left", &7_u64);
/// assert_eq!(fields.count(), 1);
/// assert_eq!(fields.value::<u64>("left"), Some(7));
/// // Another name, or another type.
/// assert_eq!(fields.value::<u64>("right"), None);
/// assert_eq!(fields.value::<u8>("left"), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedFields(Vec<(String, Vec<u8>)>);

impl PackedFields {
    /// Adds the field with this name.
    pub fn put<T: Moves>(&mut self, name: &str, value: &T) {
        let mut bytes = Vec::new();
        value.pack(&mut bytes);
        self.0.push((name.to_owned(), bytes));
    }

    /// The value of the field with this name; `None` if there is none, it does not unpack, or has bytes left over.
    pub fn value<T: Moves>(&self, name: &str) -> Option<T> {
        let (_, bytes) = self.0.iter().find(|(field, _)| field == name)?;
        let mut from = &bytes[..];
        let value = T::unpack(&mut from)?;
        from.is_empty().then_some(value)
    }

    /// The number of fields.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    #[cfg(all(test, feature = "pool", unix))]
    pub(super) fn of(fields: &[(&str, &[u8])]) -> Self {
        Self(fields.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect())
    }
}

impl Moves for PackedFields {
    fn pack(&self, into: &mut Vec<u8>) {
        self.0.pack(into);
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        Vec::unpack(from).map(Self)
    }
}
