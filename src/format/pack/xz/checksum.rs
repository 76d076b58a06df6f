//! The CRC64 of bytes from those of their parts (The .xz File Format 1.2.1, section 6: ECMA-182, the lowest bit first).
//!
//! A checksum is the remainder of a polynomial, in which bytes that follow move those before them up: by as many powers of x
//! as they have bits. So it takes a product and no bytes.

/// The polynomial without its highest power, the lowest powers in the highest bits.
const POLYNOMIAL: u64 = 0xC96C_5795_D787_0F42;
/// The polynomials 1 and x^8.
const ONE: u64 = 1 << 63;
const BYTE: u64 = 1 << 55;

/// The checksum of what `first` is that of, followed by `length` bytes that `second` is that of.
pub(super) fn joined(first: u64, second: u64, mut length: u64) -> u64 {
    let (mut power, mut square) = (ONE, BYTE);
    while length > 0 {
        if length & 1 == 1 {
            power = product(power, square);
        }
        square = product(square, square);
        length >>= 1;
    }
    product(power, first) ^ second
}

/// The remainder of the product of two polynomials.
fn product(mut one: u64, mut other: u64) -> u64 {
    let mut sum = 0;
    while one != 0 {
        if one & ONE != 0 {
            sum ^= other;
        }
        one <<= 1;
        other = if other & 1 == 1 { (other >> 1) ^ POLYNOMIAL } else { other >> 1 };
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::super::super::samples;
    use super::super::block::checksum;
    use super::*;

    #[test]
    fn the_checksum_of_parts_is_that_of_the_whole() {
        let bytes = samples::noise(70_000);
        for end in [0, 1, 2, 7, 255, 4096, 65_537, 70_000] {
            let whole = bytes.get(..end).expect("it is that long");
            for cut in [0, 1, 3, 200, 4095, 40_000].into_iter().filter(|cut| *cut <= end) {
                let (first, second) = whole.split_at(cut);
                let joined = joined(checksum(first), checksum(second), second.len() as u64);
                assert_eq!(joined, checksum(whole), "{cut} of {end}");
            }
        }
    }
}
