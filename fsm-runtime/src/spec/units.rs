use std::fmt;
use std::time::Duration;

/// A time as attributes write it.
pub(super) struct InUnits(pub(super) Duration);

impl fmt::Display for InUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
        match units.into_iter().find(|(unit, _)| millis % unit == 0) {
            Some((unit, name)) => write!(f, "{}{name}", millis / unit),
            None => write!(f, "{millis}ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_as_attributes_write_them() {
        let millis = [250, 30_000, 90_000, 300_000, 7_200_000, 86_400_000];
        let printed = millis.map(|millis| InUnits(Duration::from_millis(millis)).to_string());
        assert_eq!(printed, ["250ms", "30s", "90s", "5min", "2h", "1d"]);
    }
}
