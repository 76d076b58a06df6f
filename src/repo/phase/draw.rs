//! Which machines get a phased update: apt's own draw, bit for bit.
//!
//! apt seeds a generator with `SOURCE-VERSION-MACHINE` and draws a number from 0 to 100; the update is held back when it
//! is greater than the percentage. So a machine keeps its number while the percentage rises, and who had the update at 10
//! has it at 50. As there are 101 numbers, one machine in a hundred gets it at 0 already. Source: apt's
//! `apt-pkg/depcache.cc` (`PhasedUpgrader`) on libstdc++'s `std::seed_seq`, `std::minstd_rand` and
//! `std::uniform_int_distribution`, of which the last is not fixed by the C++ standard.

/// The number that a machine (the content of its /etc/machine-id) draws for one version of a source package: 0 to 100.
pub fn draw(source: &str, version: &str, machine: &str) -> u8 {
    let [_, _, _, seed] = seed_sequence(format!("{source}-{version}-{machine}").as_bytes());
    let mut state = u64::from(seed) % MODULUS;
    if state == 0 {
        state = 1;
    }
    loop {
        state = state * MULTIPLIER % MODULUS;
        // The generator gives 1 to MODULUS - 1. What is above the last whole range is drawn again.
        let drawn = state - 1;
        if drawn < RANGE * SCALE {
            return u8::try_from(drawn / SCALE).unwrap_or(u8::MAX);
        }
    }
}

/// Whether a machine that drew `number` gets an update with this percentage; without one everybody does.
pub fn admits(phase: Option<u8>, number: u8) -> bool {
    phase.is_none_or(|percentage| number <= percentage)
}

/// `std::minstd_rand`.
const MULTIPLIER: u64 = 48_271;
const MODULUS: u64 = 2_147_483_647;
/// Numbers from 0 to 100.
const RANGE: u64 = 101;
/// How many of the generator's numbers make one of them.
const SCALE: u64 = (MODULUS - 2) / RANGE;

/// `std::seed_seq::generate` for four words (ISO C++, [rand.util.seedseq]); the seed of `minstd_rand` is the last.
fn seed_sequence(seed: &[u8]) -> [u32; 4] {
    /// For n = 4: t = (n - 1) / 2, p = (n - t) / 2, q = p + t.
    const P: usize = 1;
    const Q: usize = 2;
    let mut words = [0x8b8b_8b8b_u32; 4];
    let mix = |word: u32| word ^ (word >> 27);
    let at = |words: &[u32; 4], k: usize| words.get(k % 4).copied().unwrap_or_default();
    let rounds = (seed.len() + 1).max(4);
    for k in 0..rounds {
        let before = at(&words, k + 3);
        let first = 1_664_525_u32.wrapping_mul(mix(at(&words, k) ^ at(&words, k + P) ^ before));
        let place = u32::try_from(k % 4).unwrap_or_default();
        let further = match k {
            0 => u32::try_from(seed.len()).unwrap_or(u32::MAX),
            // Characters are signed where apt runs; beyond ASCII they fill the upper bits.
            _ => {
                seed.get(k - 1).map_or(place, |byte| place.wrapping_add(i32::from(byte.cast_signed()).cast_unsigned()))
            }
        };
        let second = first.wrapping_add(further);
        update(&mut words, k + P, |word| word.wrapping_add(first));
        update(&mut words, k + Q, |word| word.wrapping_add(second));
        update(&mut words, k, |_| second);
    }
    for k in rounds..rounds + 4 {
        let before = at(&words, k + 3);
        let sum = at(&words, k).wrapping_add(at(&words, k + P)).wrapping_add(before);
        let first = 1_566_083_941_u32.wrapping_mul(mix(sum));
        let second = first.wrapping_sub(u32::try_from(k % 4).unwrap_or_default());
        update(&mut words, k + P, |word| word ^ first);
        update(&mut words, k + Q, |word| word ^ second);
        update(&mut words, k, |_| second);
    }
    words
}

fn update(words: &mut [u32; 4], at: usize, change: impl FnOnce(u32) -> u32) {
    if let Some(word) = words.get_mut(at % 4) {
        *word = change(*word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn the_draw_is_the_same_each_time_and_between_0_and_100() {
        let mut seen = [0_u32; 101];
        for number in 0..20_000 {
            let drawn = draw(&format!("package-{number}"), "1.0-1", MACHINE);
            assert_eq!(drawn, draw(&format!("package-{number}"), "1.0-1", MACHINE));
            seen[usize::from(drawn)] += 1;
        }
        // 198 on average; five standard deviations.
        assert!(seen.iter().all(|count| (125..275).contains(count)), "{seen:?}");
    }

    /// What a C++ program with those three classes prints, built by g++ 12.
    #[test]
    fn the_draw_is_that_of_libstdcxx() {
        let drawn = [
            draw("", "", ""),
            draw("a", "1", "x"),
            draw("acme", "1.0-1", MACHINE),
            draw("acme", "1.0-2", MACHINE),
            draw("lib+2", "1:3~rc2", "b08dfa6083e7567a1921a715000001fb"),
            draw("é", "1", MACHINE),
        ];
        assert_eq!(drawn, [45, 53, 80, 80, 14, 99]);
    }

    #[test]
    fn a_machine_that_has_an_update_keeps_it_while_the_percentage_rises() {
        let drawn = draw("acme", "1.0-1", MACHINE);
        let admitted: Vec<u8> = (0..=100).filter(|percentage| admits(Some(*percentage), drawn)).collect();
        assert_eq!(admitted, (drawn..=100).collect::<Vec<u8>>());
        assert!(admits(None, 100));
    }
}
