//! How much the cache may hold, as people write it.

use std::fmt;
use std::str::FromStr;

use crate::diagnostic::{Code, Diagnose, ExitCode, codes};

/// A number of bytes: `500M`, `10G`, `1.5 GiB`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Size(pub u64);

/// A text that is no [`Size`].
#[derive(Debug, thiserror::Error)]
#[error("`{}` is no size", text.escape_debug())]
pub struct InvalidSize {
    text: String,
}

/// The value of `PACKHOUSE_CACHE_SIZE` is no size.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {0}", variable = crate::variables::PACKHOUSE_CACHE_SIZE)]
pub struct InvalidLimit(#[from] InvalidSize);

impl Diagnose for InvalidLimit {
    fn code(&self) -> &'static Code {
        &codes::INVALID_CACHE_SIZE
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        vec!["give it as `500M`, `10G` or `10GiB`; `0` means no limit".to_owned()]
    }
}

impl FromStr for Size {
    type Err = InvalidSize;

    fn from_str(text: &str) -> Result<Self, InvalidSize> {
        let invalid = || InvalidSize { text: text.to_owned() };
        let trimmed = text.trim();
        let end = trimmed.find(|character: char| !character.is_ascii_digit() && character != '.');
        let (number, unit) = trimmed.split_at(end.unwrap_or(trimmed.len()));
        let number: f64 = number.parse().map_err(|_| invalid())?;
        let unit = unit.trim().to_ascii_lowercase();
        let unit = unit.strip_suffix('b').unwrap_or(&unit);
        let (letter, base) = unit.strip_suffix('i').map_or((unit, 1000.0_f64), |letter| (letter, 1024.0));
        let power = match letter {
            "" if base == 1000.0 => 0,
            "k" => 1,
            "m" => 2,
            "g" => 3,
            "t" => 4,
            _ => return Err(invalid()),
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it saturates, and is not negative"
        )]
        Ok(Self((number * base.powi(power)) as u64))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
        let mut number = self.0 as f64;
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if number < 1023.95 {
                let digits = usize::from(unit != "B");
                return write!(formatter, "{number:.digits$} {unit}");
            }
            number /= 1024.0;
        }
        write!(formatter, "{number:.1} TiB")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_ccache_reads_them() {
        for (text, bytes) in [
            ("0", 0),
            ("123", 123),
            ("10G", 10_000_000_000),
            ("10 GB", 10_000_000_000),
            ("1.5GiB", 3 << 29),
            ("500m", 500_000_000),
            ("2Ki", 2048),
            ("1T", 1_000_000_000_000),
        ] {
            assert_eq!(text.parse::<Size>().unwrap().0, bytes, "{text}");
        }
        for text in ["", "G", "10X", "-1G", "1..5G", "10i", "ten", "1e9", "inf", "NaN", "10 G G"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_shown_with_one_digit() {
        let shown = [0, 1023, 1024, 1_048_570, 3 << 29, 1 << 50].map(|bytes| Size(bytes).to_string());
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "1.0 MiB", "1.5 GiB", "1024.0 TiB"]);
    }
}
